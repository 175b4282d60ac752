"""Loads a LoRA adapter that Nibble trained with PEFT, on the same base, and compares the validation loss.

usage: peft_loss.py BASE RUN DATA COUNT
BASE: the base model's folder; RUN: the run's folder; DATA, COUNT: a folder of the datasets library, whose first COUNT
rows of the split "validation" are the ones that the run evaluated, with the prompt of recipes/quickstart.yaml.
Fails when the two losses differ by more than 1e-4, or when PEFT reports a missing or unexpected weight.
"""

import json
import sys
import warnings

import datasets
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base, run, data, rows = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(base)
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
with warnings.catch_warnings():
    warnings.simplefilter("error", UserWarning)  # PEFT only warns about adapter keys that find no place
    model = PeftModel.from_pretrained(model, run).eval()

total, count = 0.0, 0
with torch.no_grad():
    for row in datasets.load_from_disk(data)["validation"].select(range(int(rows))):
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

with open(f"{run}/metrics.jsonl", encoding="utf-8") as lines:
    ours = [m["eval_loss"] for m in map(json.loads, lines) if "eval_loss" in m][-1]
print(f"validation loss over {count} tokens: Nibble {ours:.6f}, PEFT {theirs:.6f}")
if abs(ours - theirs) > 1e-4:
    sys.exit("the losses differ")
