"""Reads what `nibble quantize` wrote with code of its own, and compares that model's logits with Nibble's.

bitsandbytes itself is not needed: the layout is read as its documentation gives it, and the names are held against the patterns
with which transformers collects them.

usage: quantized.py FOLDER
FOLDER: an empty folder to work in.
"""

import json
import pathlib
import sys

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.quantizers.quantizer_bnb_4bit import Bnb4BitHfQuantizer
from transformers.quantizers.quantizers_utils import should_convert_module

from families import make
from nibble import compare, nibble, nibble_logits, recipe, rows


def tensors(folder):
    index = folder / "model.safetensors.index.json"
    files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    found = {}
    for file in files:
        with safe_open(folder / file, "pt") as shard:
            assert shard.metadata() == {"format": "pt"}, shard.metadata()
            found |= {name: shard.get_tensor(name) for name in shard.keys()}
    return found, len(files)


def dequantize(weight, found):
    """codebook[code] * scale in float32, the first of two codes in the high half of a byte."""
    states = [name for name in found if name.startswith(f"{weight}.quant_state.")]
    assert len(states) == 1, states
    state = json.loads(bytes(found[states[0]].tolist()))
    assert states[0].endswith("bitsandbytes__" + state["quant_type"]), states
    absmax = found[weight + ".absmax"]
    if "nested_offset" in state:
        second = found[weight + ".nested_absmax"].repeat_interleave(state["nested_blocksize"])[: absmax.numel()]
        absmax = found[weight + ".nested_quant_map"][absmax.long()] * second + torch.tensor(state["nested_offset"])
    packed = found[weight]
    count = state["shape"][0] * state["shape"][1]
    assert packed.dtype == torch.uint8 and list(packed.shape) == [(count + 1) // 2, 1], packed.shape
    codes = torch.stack([packed.flatten() >> 4, packed.flatten() & 15], 1).flatten()[:count]
    scales = absmax.repeat_interleave(state["blocksize"])[:count]
    return (found[weight + ".quant_map"][codes.long()] * scales).reshape(state["shape"])


def check(work, name, base, options):
    out = work / f"{name}-4bit"
    nibble("quantize", base, out, *options)
    found, files = tensors(out)
    config = AutoConfig.from_pretrained(out)
    quantizer = Bnb4BitHfQuantizer(BitsAndBytesConfig.from_dict(config.quantization_config), pre_quantized=True)
    patterns = [p for c in quantizer.get_weight_conversions() for p in c.source_patterns if p != "weight"]
    skipped = quantizer.quantization_config.llm_int8_skip_modules or ["lm_head"]
    packed = {n for n in found if n + ".quant_map" in found}
    known = {n for n in found if any(n.endswith("." + p) for p in patterns)} | packed
    model = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager", dtype=torch.float32)
    linears = {n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear)}
    expected = {n + ".weight" for n in linears if should_convert_module(n, skipped)}
    assert packed == expected, packed ^ expected
    assert all(n.startswith(tuple(packed)) for n in known), known
    for n, parameter in model.named_parameters():
        if n in packed:
            parameter.data.copy_(dequantize(n, found))
        elif n in found:
            assert torch.equal(parameter.data, found[n].float()), n
    samples = nibble_logits(recipe(work, f"eval-{name}", base_model=str(out)), work / "logits")
    compare(f"{name}: {len(packed)} of {len(linears)} linear maps in 4 bits, {files} files", samples, model)


work = pathlib.Path(sys.argv[1])
rows(work)
check(work, "llama-nf4", make(work, "llama", torch.bfloat16), ["--max-shard-size", "300KB"])
check(work, "llama3-fp4", make(work, "llama3", torch.bfloat16), ["--type", "fp4", "--no-double-quant"])
check(work, "skipped", work / "llama", ["--skip-modules", "down_proj,model.layers.1.self_attn.q_proj", "--blocksize", "128"])
for family in ("qwen3", "phi3"):
    check(work, family, make(work, family, torch.bfloat16), [])
# Gemma rounds a factor to the dtype of its embeddings; in float32 both sides agree on it.
check(work, "gemma3", make(work, "gemma3"), [])
