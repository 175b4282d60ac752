"""Makes a small random model of each family with transformers and compares Nibble's logits with transformers'.

usage: families.py FOLDER
FOLDER: an empty folder to work in.
"""

import pathlib
import shutil
import sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from nibble import TOKENIZER, compare, nibble_logits, recipe, rows

SIZES = dict(
    vocab_size=4096,
    hidden_size=96,
    intermediate_size=160,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    head_dim=24,
    bos_token_id=0,
    eos_token_id=0,
    pad_token_id=0,
)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32, rope_theta=500000.0)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=32, rope_theta=10000.0)
LONG = dict(rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75,
            original_max_position_embeddings=16,
            short_factor=[1 + 0.05 * i for i in range(9)], long_factor=[1.5 + 0.6 * i for i in range(9)])

FAMILIES = {
    "llama": dict(model_type="llama"),
    "llama3": dict(model_type="llama", rope_parameters=LLAMA3, tie_word_embeddings=True, attention_bias=True),
    "llama_yarn": dict(model_type="llama", rope_parameters=YARN, mlp_bias=True),
    "mistral": dict(model_type="mistral", sliding_window=7),
    "qwen2": dict(model_type="qwen2", use_sliding_window=True, sliding_window=6, max_window_layers=1),
    "qwen3": dict(model_type="qwen3", head_dim=32),
    "phi3": dict(model_type="phi3", original_max_position_embeddings=4096),
    "phi3_longrope": dict(model_type="phi3", rope_parameters=LONG, original_max_position_embeddings=16),
    "gemma2": dict(model_type="gemma2", sliding_window=8, query_pre_attn_scalar=24),
    "gemma3": dict(model_type="gemma3_text", sliding_window=8, query_pre_attn_scalar=24, num_hidden_layers=7),
}


def make(folder, name, dtype=torch.float32):
    """A model folder with random weights and the shipped tokenizer."""
    keys = SIZES | FAMILIES[name]
    if keys["model_type"] == "phi3":
        keys.pop("head_dim")
    config = AutoConfig.for_model(keys.pop("model_type"), **keys, attn_implementation="eager")
    torch.manual_seed(sum(map(ord, name)))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for parameter in model.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.05)  # biases and norms too
    path = pathlib.Path(folder) / name
    model.to(dtype).save_pretrained(path)
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(TOKENIZER / file, path / file)
    return path



if __name__ == "__main__":
    work = pathlib.Path(sys.argv[1])
    rows(work)
    for name in FAMILIES:
        base = make(work, name)
        samples = nibble_logits(recipe(work, f"eval-{name}", base_model=str(base), adapter="lora"), work / "logits")
        compare(name, samples, AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32))
