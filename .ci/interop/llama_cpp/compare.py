"""Compares llama.cpp with transformers, on what gguf_models.py made and Nibble exported.

usage: compare.py jobs WORK JOBS | compare.py check WORK JOBS RESULTS
jobs: writes what run.mjs shall do, for each WORK/NAME/f32.gguf (alone, and with WORK/NAME/lora.gguf), f16.gguf and q8_0.gguf.
check: fails when logits differ by more than the file's type allows, when another token is likeliest where it should not, or
when a text has other tokens.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file

# The largest difference of two logits, relative to the largest logit. llama.cpp rounds activations to the weights' type.
TOLERANCE = {"f32": 1e-3, "f16": 1e-2, "q8_0": 1e-1}

what, work, jobs = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
folders = sorted(path.parent for path in work.glob("*/expected.safetensors"))

if what == "jobs":
    listed = []
    for folder in folders:
        ids = load_file(folder / "expected.safetensors")["ids"].tolist()
        texts = json.loads((folder / "tokens.json").read_text())["texts"]
        for kind in TOLERANCE:
            listed.append(dict(model=str(folder / f"{kind}.gguf"), adapter=None, ids=ids, texts=texts if kind == "f32" else []))
        if (folder / "lora.gguf").exists():
            listed.append(dict(model=str(folder / "f32.gguf"), adapter=str(folder / "lora.gguf"), ids=ids, texts=[]))
    jobs.write_text(json.dumps(listed))
    sys.exit()

failures = []
for job, result in zip(json.loads(jobs.read_text()), json.loads(pathlib.Path(sys.argv[4]).read_text()), strict=True):
    file = pathlib.Path(job["model"])
    name = f"{file.parent.name}/{file.stem}{' with adapter' if job['adapter'] else ''}"
    expected = load_file(file.parent / "expected.safetensors")["adapter_logits" if job["adapter"] else "logits"]
    got = torch.tensor(result["logits"])
    error = ((got - expected).abs().max() / expected.abs().max()).item()
    same = (got.argmax(-1) == expected.argmax(-1)).sum().item()
    tokens = json.loads((file.parent / "tokens.json").read_text())
    other = [(t, want, have) for t, want, have in zip(job["texts"], tokens["ids"], result["tokens"]) if want != have]
    texts = f", {len(job['texts']) - len(other)} of {len(job['texts'])} texts tokenised alike" if job["texts"] else ""
    print(f"{name}: logits differ by {error:.1e}, likeliest token alike at {same} of {len(got)}{texts}")
    if not error <= TOLERANCE[file.stem] or (file.stem == "f32" and same < len(got)):
        failures.append(name)
    for text, want, have in other:
        failures.append(f"{name}: {text!r} is {want} in tokenizers, {have} in llama.cpp")
if failures:
    sys.exit("\n".join(["llama.cpp and transformers disagree:", *failures]))
