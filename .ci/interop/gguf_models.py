"""Small random models of every family that Nibble exports to GGUF, and what transformers computes with them.

make(OUT) writes OUT/NAME/model, a checkpoint with its tokenizer; OUT/NAME/adapter, for some, a LoRA adapter of PEFT;
OUT/NAME/expected.safetensors, ids [T], logits [T, V], adapter_logits [T, V]; and OUT/NAME/tokens.json, texts with their ids
without special tokens. One of them is the shipped base model, on a prompt. OUT/ends/model has no expected logits: its
generation ends at several tokens, and ends.json says at which, and how transformers continues texts that lead to each.
"""

import json
import pathlib
import shutil
import unicodedata

import datasets
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

READY = pathlib.Path("data/src/test/resources/golden/tokenizers")
TEXTS = pathlib.Path("examples/wordnet/data/categories")
BASE = pathlib.Path("examples/wordnet/base")
PROMPT = "a large spotted feline of tropical America"
LENGTH = 48
SIZES = dict(
    vocab_size=1536, hidden_size=128, intermediate_size=352, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.08, bos_token_id=None, eos_token_id=2,
    pad_token_id=None,
)  # fmt: skip
GEMMA = dict(
    head_dim=64, query_pre_attn_scalar=64, sliding_window=16, hidden_activation="gelu_pytorch_tanh",
    tie_word_embeddings=True,
)  # fmt: skip


def rope(kind, theta=10000.0, **values):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **values}}


def long_rope(original):
    factors = dict(short_factor=[1 + 0.05 * i for i in range(12)], long_factor=[1.5 + 0.7 * i for i in range(12)])
    parameters = rope("longrope", partial_rotary_factor=0.75, original_max_position_embeddings=original, **factors)
    return dict(original_max_position_embeddings=original, **parameters)


LLAMA3 = rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = dict(factor=4.0, original_max_position_embeddings=64)
BOTH = {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}  # fmt: skip
LOCAL = {"full_attention": {"rope_type": "default", "rope_theta": 1e6},
         "sliding_attention": {"rope_type": "default", "rope_theta": 5000.0}}  # fmt: skip

# name: model type, tokenizer, configuration, whether an adapter is made too
MODELS = {
    "llama": ("llama", "smollm", {}, True),
    "llama3": ("llama", "llama3_like", dict(attention_bias=True, mlp_bias=True, head_dim=48, tie_word_embeddings=True, **LLAMA3), True),
    "llama_linear": ("llama", "gpt2", rope("linear", factor=3.0), False),
    "llama_yarn": ("llama", "dbrx", rope("yarn", **YARN), False),
    "llama_yarn_factor": ("llama", "gpt2", rope("yarn", attention_factor=1.3, **YARN), False),
    "mistral": ("mistral", "llama2_like", dict(sliding_window=None, head_dim=64), False),
    "mistral_tekken": ("mistral", "tekken", dict(sliding_window=64), False),
    "qwen2": ("qwen2", "qwen_like", dict(tie_word_embeddings=True), True),
    "qwen3": ("qwen3", "qwen_like", dict(head_dim=64), True),
    "smollm3": ("smollm3", "llama3_like", dict(num_hidden_layers=5, use_sliding_window=False, **rope("default", 2e6)), True),
    "phi3": ("phi3", "gpt4o", {}, True),
    "phi3_short": ("phi3", "llama2_like", long_rope(256) | dict(max_position_embeddings=1024), False),
    "phi3_long": ("phi3", "llama2_like", long_rope(32), False),
    "gemma2": ("gemma2", "gemma", dict(num_hidden_layers=4, **GEMMA), True),
    "gemma3": ("gemma3_text", "gemma", dict(num_hidden_layers=7, rope_parameters=BOTH, **GEMMA), True),
    "gemma3_local": ("gemma3_text", "gemma", dict(num_hidden_layers=6, rope_parameters=LOCAL, **GEMMA), False),
}  # fmt: skip

# Scales that are not alpha / r, for llama.cpp to be given in B.
ADAPTERS = {
    "qwen2": dict(use_rslora=True),
    "gemma2": dict(rank_pattern={"down_proj": 6}, alpha_pattern={"layers.1.self_attn.o_proj": 3}),
}

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WORDS = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|"
OTHERS = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SLASHED = OTHERS.replace(r"[\r\n]*|", r"[\r\n/]*|")
LOWER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
UPPER = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
REGEXES = {
    "dbrx": WORDS + r"\p{N}{1,3}|" + OTHERS,
    "gpt4o": f"{LOWER}{CONTRACTIONS}?|{UPPER}{CONTRACTIONS}?|" + r"\p{N}{1,3}|" + SLASHED,
    "tekken": f"{LOWER}|{UPPER}|" + r"\p{N}|" + SLASHED,
}


def sentences():
    for row in datasets.load_from_disk(TEXTS)["train"].select(range(4000)):
        yield f"{row['instruction']} {row['input']} {row['output']}"


def hard_texts():
    found = []
    for cases in sorted(READY.glob("*/cases.json")):
        found += [case["text"] for case in json.loads(cases.read_text())]
    found += ["It's HE'LL they'Re 12345 3.14159 don't", "a/b//c/\n d", "naïve ÉCOLE Ünï Straße ǅ", "x  y   z\t\n\n  w ", "a    b", "▁▁▁▁c"]
    return sorted(set(found))


def byte_level(kind):
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "tekken"))
    ends = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=kind not in REGEXES)
    parts = [ends]
    if kind in REGEXES:
        parts = [pre_tokenizers.Split(Regex(REGEXES[kind]), "isolated"), ends]
    elif kind == "smollm":
        parts = [pre_tokenizers.Digits(individual_digits=True), ends]
    tokenizer.pre_tokenizer = parts[0] if len(parts) == 1 else pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|startoftext|>", "<|user|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(vocab_size=1500, initial_alphabet=alphabet, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(sentences(), trainer)
    return tokenizer


def gemma():
    """As SentencePiece has it: every pair of tokens whose text together is a token may be merged."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    special = ["<pad>", "<bos>", "<eos>", "<unk>"]
    fallback = [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=special + fallback, max_token_length=8, show_progress=False)
    tokenizer.train_from_iterator((s.replace("▁", " ") for s in sentences()), trainer)
    state = json.loads(tokenizer.to_str())
    vocab = state["model"]["vocab"]
    for spaces in ("▁▁", "▁▁▁▁"):
        vocab.setdefault(spaces, len(vocab))
    normal = [t for t in sorted(vocab, key=vocab.get) if t not in special + fallback]
    pairs = [(t[:i], t[i:]) for t in normal for i in range(1, len(t))]
    state["model"]["merges"] = [list(pair) for pair in pairs if pair[0] in vocab and pair[1] in vocab]
    state["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] in special]
    pad = state["added_tokens"][0] | dict(special=False)
    state["added_tokens"].append(pad | dict(id=vocab["▁▁▁▁"], content="▁▁▁▁"))
    state["added_tokens"].append(pad | dict(id=len(vocab), content="▁▁▁", normalized=True))
    tokenizer = Tokenizer.from_str(json.dumps(state))
    bos = tokenizer.token_to_id("<bos>")
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", bos)])
    return tokenizer


def put_tokenizer(kind, folder):
    if (READY / kind).is_dir():
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(READY / kind / file, folder)
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer = gemma() if kind == "gemma" else byte_level(kind)
    roles = dict(bos_token="<bos>", eos_token="<eos>", unk_token="<unk>") if kind == "gemma" else dict(eos_token="<|endoftext|>")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **roles).save_pretrained(folder)
    return tokenizer


def with_composed_accents(kind, texts):
    return [t for t in texts if kind != "qwen_like" or unicodedata.normalize("NFC", t) == t]


def logits(model, ids):
    with torch.no_grad():
        return model(input_ids=ids[None]).logits[0].float().contiguous()


def put_expected(folder, model, tokenizer, kind, ids):
    plain = with_composed_accents(kind, hard_texts())
    tokens = [tokenizer.encode(text, add_special_tokens=False).ids for text in plain]
    (folder / "tokens.json").write_text(json.dumps({"texts": plain, "ids": tokens}))
    return {"ids": ids, "logits": logits(model, ids)}


def make_one(folder, index, family, kind, values, adapter):
    torch.manual_seed(index)
    (folder / "model").mkdir(parents=True)
    config = AutoConfig.for_model(family, **{**SIZES, **values})
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for weight in model.parameters():
        if weight.dim() == 1:  # norms and biases, which begin as constants
            weight.data += 0.3 * torch.randn_like(weight)
    model.save_pretrained(folder / "model")
    ids = torch.randint(3, SIZES["vocab_size"], (LENGTH,))
    expected = put_expected(folder, model, put_tokenizer(kind, folder / "model"), kind, ids)
    if adapter:
        config = LoraConfig(r=4, lora_alpha=10, target_modules="all-linear", task_type="CAUSAL_LM", **ADAPTERS.get(family, {}))
        model = get_peft_model(model, config)
        for key, weight in model.named_parameters():
            if "lora_B" in key:
                weight.data.normal_(std=0.05)
        model.save_pretrained(folder / "adapter")
        expected["adapter_logits"] = logits(model.eval(), ids)
    save_file(expected, folder / "expected.safetensors")


def make_ends(folder):
    """A random model, whose ends are what it likes to say soon after some random texts, so that each of them is met."""
    torch.manual_seed(len(MODELS))
    (folder / "model").mkdir(parents=True)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **SIZES), attn_implementation="eager").eval()
    eos = put_tokenizer("smollm", folder / "model").token_to_id("<|endoftext|>")
    settings = dict(max_new_tokens=24, do_sample=False, pad_token_id=eos)

    def continued(prompt, ends):
        return model.generate(prompt[None], eos_token_id=ends, **settings)[0, len(prompt) :].tolist()

    prompts, ends = [], [eos]
    while len(prompts) < 2:
        prompt = torch.randint(3, 1500, (8,))
        said = continued(prompt, ends)
        if len(set(said)) > 2 and said[-1] not in ends: # something, an end that has not been said before
            prompts.append(prompt)
            ends.append(next(t for i, t in enumerate(said) if i > 1 and t not in said[:i]))
    texts = [{"ids": p.tolist(), "continuation": continued(p, ends)} for p in prompts]
    if [text["continuation"][-1] for text in texts] != ends[1:]:
        raise AssertionError(f"the texts do not lead to {ends}: {texts}")
    model.generation_config.eos_token_id = ends
    model.save_pretrained(folder / "model")
    (folder / "ends.json").write_text(json.dumps({"ends": ends, "texts": texts}))


def make(out):
    """Makes all models; returns their names."""
    for index, (name, model) in enumerate(MODELS.items()):
        make_one(out / name, index, *model)
    folder = out / "base"
    shutil.copytree(BASE, folder / "model")
    model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    ids = torch.tensor(tokenizer.encode(PROMPT).ids)
    save_file(put_expected(folder, model, tokenizer, "gpt2", ids), folder / "expected.safetensors")
    make_ends(out / "ends")
    return [*MODELS, "base", "ends"]
