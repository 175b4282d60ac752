"""Trains the quickstart's adapter for a few steps on an unquantised base, and compares the validation loss with PEFT's.

usage: quickstart.py FOLDER
FOLDER: an empty folder to work in.
"""

import json
import pathlib
import sys
import warnings

import datasets
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from nibble import TOKENIZER as BASE
from nibble import nibble

DATA = "examples/wordnet/data/categories"
ROWS = 200

run = pathlib.Path(sys.argv[1]) / "run"
changes = dict(bf16="false", adapter="lora", load_in_4bit="", bnb_4bit_quant_type="", bnb_4bit_use_double_quant="", max_steps=20,
               eval_steps=20, answer_eval="", output_dir=run)
changes["test_datasets.0.limit"] = ROWS
nibble("train", "recipes/quickstart.yaml", *[a for k, v in changes.items() for a in ("--set", f"{k}={v}")])

tokenizer = AutoTokenizer.from_pretrained(BASE)
model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32)
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)  # PEFT only warns about adapter keys that find no place
    model = PeftModel.from_pretrained(model, run).eval()

total, count = 0.0, 0
with torch.no_grad():
    for row in datasets.load_from_disk(DATA)["validation"].select(range(ROWS)):
        text = f"{row['input']}\n{row['instruction']}\n"
        prompt = tokenizer(text).input_ids
        tokens = tokenizer(text + row["output"]).input_ids + [tokenizer.eos_token_id]
        labels = [-100] * len(prompt) + tokens[len(prompt) :]
        logits = model(input_ids=torch.tensor([tokens])).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(
            logits, torch.tensor(labels[1:]), ignore_index=-100, reduction="sum"
        ).item()
        count += sum(label != -100 for label in labels[1:])
theirs = total / count

with open(run / "metrics.jsonl", encoding="utf-8") as lines:
    ours = [m["eval_loss"] for m in map(json.loads, lines) if "eval_loss" in m][-1]
print(f"validation loss over {count} tokens: Nibble {ours:.6f}, PEFT {theirs:.6f}")
if abs(ours - theirs) > 1e-4:
    sys.exit("the losses differ")
