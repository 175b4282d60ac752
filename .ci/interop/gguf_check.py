"""Checks GGUF files with the gguf package and transformers, on what gguf_models.py made and Nibble exported.

usage: gguf_check.py WORK
For each WORK/NAME/{f32,f16,bf16,q8_0,q4_0}.gguf that is there: transformers loads it, and every weight equals that of
WORK/NAME/model after the gguf package's own rounding to the tensor's type, bit for bit (Gemma's norms, to which 1 is
added, and the biases that transformers does not put back in order, are left to llama.cpp). The logits of f16.gguf equal
those of the model within 1e-2 of the largest.
"""

import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

failures = []


def rounded(weight, kind):
    return torch.from_numpy(gguf.dequantize(gguf.quantize(weight.numpy(), kind), kind).copy())


def kinds(reader):
    """How often each type occurs among matrices, and the type of embedding and head."""
    matrices = {t.name: t.tensor_type for t in reader.tensors if len(t.shape) > 1}
    head = matrices.get("output.weight", matrices["token_embd.weight"])
    return matrices["blk.0.attn_output.weight"], head, "output.weight" in matrices


for path in sorted(pathlib.Path(sys.argv[1]).glob("*/*.gguf")):
    if path.stem == "lora":
        continue
    name = f"{path.parent.name}/{path.stem}"
    kind, head, own_head = kinds(gguf.GGUFReader(path))
    source = path.parent / "model"
    config = AutoConfig.from_pretrained(source)
    settings = dict(dtype=torch.float32, attn_implementation="eager")
    theirs = AutoModelForCausalLM.from_pretrained(source, **settings).eval()
    # GGUF calls Mistral a Llama, and so does transformers when it reads GGUF; its window is longer than these texts.
    given = {} if config.model_type == "mistral" else {"config": config}
    ours = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, **given, **settings).eval()
    stored, wrong, compared = theirs.state_dict(), [], 0
    for key, value in ours.state_dict().items():
        weight = stored[key]
        if weight.dim() == 2:
            is_head = key == "lm_head.weight" or (key == "model.embed_tokens.weight" and not own_head)
            expected = rounded(weight, head if is_head else kind)
            same = torch.equal(value, expected)
        elif "gemma" in config.model_type:
            same = torch.allclose(value, weight, atol=1e-6)
        elif key.endswith(("q_proj.bias", "k_proj.bias")) and config.model_type == "llama":
            continue
        else:
            same = torch.equal(value, weight)
        compared += 1
        if not same:
            wrong.append(f"{key} (by {(value - weight).abs().max():.1e})")
    line = f"{name}: {compared - len(wrong)} of {compared} tensors as the gguf package rounds them"
    if path.stem == "f16" and not getattr(config, "attention_bias", False):
        expected = load_file(path.parent / "expected.safetensors")
        with torch.no_grad():
            logits = ours(input_ids=expected["ids"][None]).logits[0]
        error = ((logits - expected["logits"]).abs().max() / expected["logits"].abs().max()).item()
        line += f", logits differ by {error:.1e}"
        if not error <= 1e-2:
            failures.append(f"{name}: logits")
    print(line)
    failures += [f"{name}: {w}" for w in wrong]
if failures:
    sys.exit("\n".join(["the files do not hold the models:", *failures]))
