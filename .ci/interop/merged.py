"""Trains a QLoRA adapter with Nibble, exports it merged, and compares transformers on the export with Nibble on the run.

usage: merged.py FOLDER
FOLDER: an empty folder to work in.
"""

import pathlib
import shutil
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from families import make
from nibble import compare, nibble, nibble_logits, recipe, rows

work = pathlib.Path(sys.argv[1])
rows(work)


def transformers_model(path):
    return AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)


for family in ("llama3", "qwen2", "phi3", "gemma2", "gemma3"):
    base = make(work, family)
    run = recipe(work, f"train-{family}", base_model=str(base), adapter="qlora", lora_r=4, max_steps=8, learning_rate=1e-2,
                 micro_batch_size=2, sample_packing=False)
    nibble("train", run)
    folder = work / f"train-{family}"
    samples = nibble_logits(folder, work / "logits")

    exact = work / f"{family}-f32"
    nibble("export", folder, "--merged", "--dtype", "f32", "--max-shard-size", "300KB", "--output", exact)
    compare(f"{family}, merged in f32, {len(list(exact.glob('model-*')))} files", samples, transformers_model(exact))
    AutoTokenizer.from_pretrained(exact)

    half = work / f"{family}-bf16"
    nibble("export", folder, "--merged", "--output", half)
    compare(f"{family}, merged in bf16", samples, transformers_model(half), 3e-2)

    original = work / f"{family}-original"
    nibble("export", folder, "--merged", "--onto", "original", "--dtype", "f32", "--output", original)
    alone = work / f"{family}-adapter"
    nibble("export", folder, "--adapter", "--base-name", base, "--output", alone)
    theirs = PeftModel.from_pretrained(transformers_model(base), alone).merge_and_unload()
    ours = transformers_model(original).state_dict()
    for name, tensor in theirs.state_dict().items():
        difference = (ours[name] - tensor).abs().max().item()
        assert difference <= 1e-5 * max(1, tensor.abs().max().item()), f"{family}: {name} differs by {difference}"
    print(f"{family}, merged onto the original weights: equal to PEFT's merge_and_unload")
    error = nibble("export", folder, "--merged", "--output", half, fails=True)
    assert "--overwrite" in error, error
    shutil.rmtree(base)
    error = nibble("export", folder, "--merged", "--output", half, fails=True)
    assert "there is no such folder" in error, error
