"""Exports models and adapters of every family to GGUF; reads them with the gguf package, transformers and llama.cpp.

usage: gguf_export.py FOLDER
FOLDER: an empty folder to work in.
"""

import pathlib
import sys

import gguf_check
import gguf_llama_cpp
import gguf_models
from nibble import nibble, recipe, rows

work = pathlib.Path(sys.argv[1]).resolve()
rows(work)
names = gguf_models.make(work)
for name in names:
    folder = work / name
    model = recipe(work, name, base_model=str(folder / "model"), adapter="lora", output_dir=str(folder / "run"))
    kinds = gguf_check.TYPES if name in ("base", "llama", "phi3", "gemma3") else ("f32",) if name == "ends" else ("f32", "f16")
    for kind in kinds:
        nibble("export", model, "--gguf", kind, "--output", folder / f"{kind}.gguf")
    adapter = folder / "adapter"
    if adapter.exists():
        keys = dict(base_model=str(folder / "model"), adapter="lora", lora_r=4, lora_alpha=10)
        recipe(adapter, "recipe.resolved", datasets=[{"path": str(work / "rows.jsonl")}], **keys)
        nibble("export", adapter, "--gguf-lora", "f32", "--output", folder / "lora.gguf")
        nibble("export", adapter, "--gguf", "f32", "--output", folder / "merged.gguf")

gguf_check.check(work)
prompt = ("--prompt", gguf_models.PROMPT, "--max-new-tokens", "24")
gguf_llama_cpp.check(work, nibble("generate", work / "base.yaml", *prompt))
