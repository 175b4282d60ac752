"""GGUF files against the gguf package and transformers.

check(WORK): for each WORK/NAME/{f32,f16,q8_0,q4_0}.gguf that is there transformers loads it, and every weight equals that of
WORK/NAME/model after the gguf package's own rounding to the tensor's type, bit for bit. Gemma's norms, to which 1 is added, may
differ in the last bit; biases of queries and keys, which transformers leaves in llama.cpp's order, are not compared. The logits
of f16.gguf equal those of the model within 1e-2 of the largest.
"""

import sys

import gguf
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

TYPES = ("f32", "f16", "q8_0", "q4_0")

# What transformers does not read from GGUF; llama.cpp's check covers it.
UNREAD = ("smollm3",)


def rounded(weight, kind):
    return torch.from_numpy(gguf.dequantize(gguf.quantize(weight.numpy(), kind), kind).copy())


def kinds(path):
    """The type of most matrices, that of the head, and whether the head is not the embedding."""
    matrices = {t.name: t.tensor_type for t in gguf.GGUFReader(path).tensors if len(t.shape) > 1}
    head = matrices.get("output.weight", matrices["token_embd.weight"])
    return matrices["blk.0.attn_output.weight"], head, "output.weight" in matrices


def check_one(path):
    """A line about a file, and what is wrong with it."""
    kind, head, own_head = kinds(path)
    source = path.parent / "model"
    config = AutoConfig.from_pretrained(source)
    settings = dict(dtype=torch.float32, attn_implementation="eager")
    theirs = AutoModelForCausalLM.from_pretrained(source, **settings).state_dict()
    # GGUF calls Mistral a Llama, and so does transformers when it reads GGUF; its window is longer than these texts.
    given = {} if config.model_type == "mistral" else {"config": config}
    ours = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **given, **settings).eval()
    wrong, compared = [], 0
    for key, value in ours.state_dict().items():
        weight = theirs[key]
        if weight.dim() == 2:
            is_head = key == "lm_head.weight" or (key == "model.embed_tokens.weight" and not own_head)
            same = torch.equal(value, rounded(weight, head if is_head else kind))
        elif "gemma" in config.model_type:
            same = torch.allclose(value, weight, atol=1e-6)
        elif key.endswith(("q_proj.bias", "k_proj.bias")) and config.model_type == "llama":
            continue
        else:
            same = torch.equal(value, weight)
        compared += 1
        if not same:
            wrong.append(f"{key} (by {(value - weight).abs().max():.1e})")
    line = f"{compared - len(wrong)} of {compared} tensors as the gguf package rounds them"
    if path.stem == "f16" and not getattr(config, "attention_bias", False):
        expected = load_file(path.parent / "expected.safetensors")
        with torch.no_grad():
            logits = ours(input_ids=expected["ids"][None]).logits[0]
        error = ((logits - expected["logits"]).abs().max() / expected["logits"].abs().max()).item()
        line += f", logits differ by {error:.1e}"
        if not error <= 1e-2:
            wrong.append("logits")
    return line, wrong


def check(work):
    failures = []
    for path in sorted(work.glob("*/*.gguf")):
        if path.stem in TYPES:
            name = f"{path.parent.name}/{path.stem}"
            if path.parent.name.startswith(UNREAD):
                print(f"{name}: not compared here, transformers does not read this architecture from GGUF", flush=True)
                continue
            line, wrong = check_one(path)
            print(f"{name}: {line}", flush=True)
            failures += [f"{name}: {w}" for w in wrong]
    if failures:
        sys.exit("\n".join(["the files do not hold the models:", *failures]))
