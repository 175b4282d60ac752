"""GGUF files in llama.cpp itself, as built for Node.js, against transformers.

check(WORK, TEXT): for each WORK/NAME/{f32,f16,q8_0}.gguf, merged.gguf, and f32.gguf with lora.gguf, logits differ by no more
than the file's type allows, and with f32 the same token is likeliest everywhere; texts have the tokens of the tokenizers library;
the greedy continuation of WORK/base is TEXT; and WORK/ends ends at each of the tokens of ends.json. Says why, and does nothing, where node, npm or the package is missing.
"""

import json
import pathlib
import shutil
import subprocess
import sys

import torch
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent / "llama_cpp"

# The largest difference of two logits, relative to the largest. llama.cpp rounds activations to the type of the weights.
TOLERANCE = {"f32": 1e-3, "merged": 1e-3, "f16": 1e-2, "q8_0": 1e-1}


def install(folder):
    """A folder with llama.cpp in it, or the reason why there is none."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    shutil.copytree(HERE, folder)
    done = subprocess.run(
        ["npm", "install", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    return "" if done.returncode == 0 else f"npm could not install it:\n{done.stderr}"


def jobs(work):
    for expected in sorted(work.glob("*/expected.safetensors")):
        folder = expected.parent
        ids = load_file(expected)["ids"].tolist()
        texts = json.loads((folder / "tokens.json").read_text())["texts"]
        for kind in TOLERANCE:
            if (folder / f"{kind}.gguf").exists():
                f32 = kind == "f32"
                generate = 24 if f32 and folder.name == "base" else 0
                yield dict(model=str(folder / f"{kind}.gguf"), ids=ids, texts=texts if f32 else [], generate=generate)
        if (folder / "lora.gguf").exists():
            yield dict(model=str(folder / "f32.gguf"), adapter=str(folder / "lora.gguf"), ids=ids, texts=[], generate=0)


def compare(job, result):
    """A line about a job, and what is wrong with its result."""
    file = pathlib.Path(job["model"])
    adapted = "adapter" in job or file.stem == "merged"
    expected = load_file(file.parent / "expected.safetensors")["adapter_logits" if adapted else "logits"]
    got = torch.tensor(result["logits"])
    error = ((got - expected).abs().max() / expected.abs().max()).item()
    alike = got.argmax(-1) == expected.argmax(-1)
    same = alike.sum().item()
    best, second = expected.topk(2).values.unbind(-1)
    close = best - second <= 2 * TOLERANCE[file.stem] * expected.abs().max() # errors that are allowed may exchange the two
    line = f"logits differ by {error:.1e}, likeliest token alike at {same} of {len(got)}"
    wrong = []
    if not error <= TOLERANCE[file.stem] or (TOLERANCE[file.stem] <= 1e-3 and not (alike | close).all()):
        wrong.append("logits")
    if job["texts"]:
        known = json.loads((file.parent / "tokens.json").read_text())["ids"]
        for text, want, have in zip(job["texts"], known, result["tokens"], strict=True):
            if want != have:
                wrong.append(f"{text!r} is {want} in tokenizers, {have} in llama.cpp")
        line += f", {len(job['texts'])} texts tokenised"
    return line, wrong


def jobs_of_ends(folder):
    """A job for each text that leads to an end, and the continuation that transformers gives it."""
    given = json.loads((folder / "ends.json").read_text())
    for text in given["texts"]:
        job = dict(model=str(folder / "f32.gguf"), ids=text["ids"], texts=[], generate=24)
        yield job, text["continuation"], given["ends"]


def compare_ends(continuation, ends, result):
    """A line about a text, and what is wrong with it."""
    line = f"ends at {continuation[-1]} behind {len(continuation) - 1} tokens; ends of texts are {result['ends']}"
    wrong = [f"{end} does not end a text" for end in ends if end not in result["ends"]]
    if result["following"] != continuation[:-1]:
        wrong.append(f"continues with {result['following']}, transformers with {continuation}")
    return line, wrong


def check(work, continuation):
    folder = work / "llama_cpp"
    reason = install(folder)
    if reason:
        print(f"llama.cpp skipped: {reason}")
        return
    listed = list(jobs(work))
    ends = list(jobs_of_ends(work / "ends"))
    (folder / "jobs.json").write_text(json.dumps(listed + [job for job, _, _ in ends]))
    subprocess.run(["node", "run.mjs", "jobs.json", "results.json"], cwd=folder, check=True)
    failures = []
    results = json.loads((folder / "results.json").read_text())
    for (_, *expected), result in zip(ends, results[len(listed) :], strict=True):
        line, wrong = compare_ends(*expected, result)
        print(f"ends/f32: {line}", flush=True)
        failures += [f"ends/f32: {w}" for w in wrong]
    for job, result in zip(listed, results[: len(listed)], strict=True):
        file = pathlib.Path(job["model"])
        name = f"{file.parent.name}/{file.stem}{' with adapter' if 'adapter' in job else ''}"
        line, wrong = compare(job, result)
        print(f"{name}: {line}", flush=True)
        failures += [f"{name}: {w}" for w in wrong]
        if job["generate"]:
            print(f"{name}: llama.cpp continues {result['text']!r}, Nibble {continuation!r}")
            if result["text"].strip() != continuation.strip():
                failures.append(f"{name}: another continuation")
    if failures:
        sys.exit("\n".join(["llama.cpp and transformers disagree:", *failures]))
