"""What the interop checks share: running Nibble, and comparing its logits with those of a PyTorch model."""

import json
import os
import pathlib
import subprocess
import sys

import torch
from safetensors.torch import load_file

COMMAND = os.environ.get("NIBBLE", "./nibble").split()
TOKENIZER = pathlib.Path("examples/wordnet/base")


def nibble(*arguments, fails=False):
    """Runs a command; its output is shown when it ends other than expected."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        sys.exit(f"nibble {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout if not fails else done.stderr


def rows(folder, count=12):
    """Rows of an Alpaca data set, short and all different."""
    path = pathlib.Path(folder) / "rows.jsonl"
    words = "leopard river granite comet orchid violin harbour theorem".split()
    with open(path, "w", encoding="utf-8") as out:
        for i in range(count):
            text = " ".join(words[(i * 3 + j) % len(words)] for j in range(3 + i % 4))
            row = {"instruction": "Which kind?", "input": text, "output": f"{words[i % len(words)]} {i}"}
            out.write(json.dumps(row) + "\n")
    return path


def recipe(folder, name, **keys):
    """Writes a recipe; values are JSON, which YAML contains."""
    path = pathlib.Path(folder) / f"{name}.yaml"
    keys.setdefault("datasets", [{"path": str(pathlib.Path(folder) / "rows.jsonl")}])
    keys.setdefault("sequence_len", 96)
    keys.setdefault("bf16", False)
    keys.setdefault("output_dir", str(pathlib.Path(folder) / name))
    path.write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in keys.items()))
    return path


def nibble_logits(subject, file, *options):
    """Logits of the first samples of a recipe or a run: (tokens, logits) of each sample."""
    nibble("eval", subject, "--save-logits", file, *options)
    saved = load_file(file)
    samples = []
    for b in range(sum(name.endswith(".logits") for name in saved)):
        starts = (saved[f"{b}.positions"] == 0).nonzero().flatten().tolist()
        for start, end in zip(starts, starts[1:] + [len(saved[f"{b}.positions"])]):
            samples.append((saved[f"{b}.tokens"][start:end].long(), saved[f"{b}.logits"][start:end]))
    return samples


def compare(what, samples, model, tolerance=1e-4):
    """Fails when the model's logits differ by more than `tolerance` of the largest logit."""
    model = model.eval()
    worst, largest, count = 0.0, 0.0, 0
    with torch.no_grad():
        for tokens, logits in samples:
            theirs = model(input_ids=tokens[None]).logits[0].float()
            worst = max(worst, (theirs - logits).abs().max().item())
            largest = max(largest, theirs.abs().max().item())
            count += len(tokens)
    share = worst / largest
    print(f"{what}: logits of {count} tokens differ by {share:.1e} of the largest (allowed {tolerance:.0e})", flush=True)
    if not share <= tolerance:
        sys.exit(f"{what}: the logits differ")
