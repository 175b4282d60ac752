"""Makes the golden files of IA3 and VeRA adapters: what PEFT computes on the tiny models of trainer's test resources.

usage: golden_adapters.py MODELS [CASE...]
MODELS: a folder with one folder for each model: config.json, model.safetensors, golden.safetensors (input_ids, labels).

Writes MODELS/<model>/<variant>/ with adapter_config.json and adapter_model.safetensors as PEFT saves them, and
golden.safetensors (F32):
  loss []  logits [B,T,V]  grad.<name in adapter_model.safetensors>
  losses_adamw [6]: loss before each of 6 steps (AdamW, lr 1e-2, betas .9 .999, eps 1e-8, weight decay .01, clip 1.0)
  grad_norms [6]  after.<name>: the adapter after the 6 steps
  merged.<name in model.safetensors>: merge_and_unload of the initial adapter
"""

import os
import pathlib
import shutil
import sys
import tempfile

import torch
from peft import IA3Config, VeraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "llama/ia3": IA3Config(task_type="CAUSAL_LM"),
    # Biases, which are scaled with their outputs, and two kinds of modules whose input is scaled.
    "llama3/ia3": IA3Config(task_type="CAUSAL_LM", target_modules=ALL, feedforward_modules=["o_proj", "down_proj"]),
    "phi3/ia3": IA3Config(task_type="CAUSAL_LM", target_modules=["qkv_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "llama/vera": VeraConfig(task_type="CAUSAL_LM", r=8, target_modules="all-linear", projection_prng_key=7),
    "phi3/vera": VeraConfig(task_type="CAUSAL_LM", r=5, target_modules=["qkv_proj", "gate_up_proj", "down_proj"],
                            projection_prng_key=3, save_projection=False, d_initial=0.5),
}

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def copies(tensors, prefix=""):
    return {prefix + name: t.detach().float().clone().contiguous() for name, t in tensors.items()}


def base_model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)


def make(folder, variant, config):
    inputs = load_file(folder / "golden.safetensors")
    batch = dict(input_ids=inputs["input_ids"], labels=inputs["labels"])
    model = get_peft_model(base_model(folder), config).eval()
    generator = torch.Generator().manual_seed(23)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for p in trained.values():
            p.add_(torch.randn(p.shape, generator=generator) * 0.3)

    out = folder / variant
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copy(pathlib.Path(saved) / name, out / name)
    start = {name: p.detach().clone() for name, p in trained.items()}

    result = model(**batch)
    result.loss.backward()
    golden = copies({"loss": result.loss, "logits": result.logits})
    gradients = {n: trained[n].grad if n in trained else t for n, t in model.state_dict().items()}
    golden |= copies(get_peft_model_state_dict(model, state_dict=gradients), "grad.")

    optimizer = torch.optim.AdamW(trained.values(), lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    losses, norms = [], []
    for _ in range(6):
        optimizer.zero_grad()
        loss = model(**batch).loss
        losses.append(loss.item())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), 1.0).item())
        optimizer.step()
    golden |= {"losses_adamw": torch.tensor(losses), "grad_norms": torch.tensor(norms)}
    golden |= copies(get_peft_model_state_dict(model), "after.")

    with torch.no_grad():
        for name, p in trained.items():
            p.copy_(start[name])
    before = base_model(folder).state_dict()
    merged = model.merge_and_unload().state_dict()
    golden |= copies({n: t for n, t in merged.items() if not torch.equal(t, before[n])}, "merged.")
    save_file(golden, out / "golden.safetensors", metadata={"format": "pt"})
    print(f"{folder.name}/{variant}: loss {result.loss.item():.5f}, after six steps {losses[-1]:.5f}", flush=True)


os.chdir(sys.argv[1])  # so that adapters name their base by its folder alone
for case in sys.argv[2:] or CASES:
    name, variant = case.split("/")
    make(pathlib.Path(name), variant, CASES[case])
