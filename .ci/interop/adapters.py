"""Compares Nibble and PEFT on every kind of adapter: PEFT loads what Nibble trained, Nibble continues what PEFT wrote.

usage: adapters.py FOLDER [KIND...]
FOLDER: an empty folder to work in. A warning of PEFT is a failure.
"""

import pathlib
import sys
import warnings

import torch
from peft import IA3Config, LoraConfig, PeftModel, VeraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from families import make
from nibble import compare, nibble, nibble_logits, recipe, rows

# kind: (family, keys of a Nibble recipe, PEFT's config, or arguments of its LoraConfig)
MAPS = ["q_proj", "k_proj", "o_proj", "down_proj"]
KINDS = {
    "plain": ("llama", {}, dict(target_modules="all-linear")),
    "rslora": ("llama", dict(peft_use_rslora=True, lora_alpha=5), dict(target_modules=["q_proj", "up_proj"], use_rslora=True)),
    "dora": ("llama3", dict(peft_use_dora=True), dict(target_modules="all-linear", use_dora=True)),
    "patterns": (
        "llama",
        dict(lora_rank_pattern={"down_proj": 6, "layers.1.*": 2}, lora_alpha_pattern={"(q|k)_proj": 3}, peft_use_rslora=True),
        dict(target_modules="all-linear", rank_pattern={"down_proj": 6, "layers.1.*": 2}, alpha_pattern={"(q|k)_proj": 3}),
    ),
    "expression": (
        "llama",
        dict(lora_target_modules=r".*layers\.[01]\..*\.(q|o|up)_proj", lora_exclude_modules=["o_proj"]),
        dict(target_modules=r".*layers\.[01]\..*\.(q|o|up)_proj", exclude_modules=["o_proj"]),
    ),
    "layers": (
        "llama",
        dict(lora_target_modules=["q_proj", "down_proj"], peft_layers_to_transform=[0, 2], peft_layers_pattern=["layers"]),
        dict(target_modules=["q_proj", "down_proj"], layers_to_transform=[0, 2]),
    ),
    "default-targets": ("llama", {}, dict()),
    "embeddings": (
        "llama",
        dict(lora_target_modules=["embed_tokens", "lm_head", "v_proj"]),
        dict(target_modules=["embed_tokens", "lm_head", "v_proj"]),
    ),
    "tied-embeddings": (
        "gemma3",
        dict(lora_target_modules=["embed_tokens", "v_proj"]),
        dict(target_modules=["embed_tokens", "v_proj"]),
    ),
    "tied-head": ("llama3", dict(lora_target_modules=["lm_head", "v_proj"]), dict(target_modules=["lm_head", "v_proj"])),
    "tied-modules-to-save": (
        "llama3",
        dict(lora_modules_to_save=["embed_tokens"]),
        dict(target_modules=["q_proj"], modules_to_save=["embed_tokens"]),
    ),
    "modules-to-save": (
        "llama",
        dict(lora_modules_to_save=["lm_head", "embed_tokens", "norm"]),
        dict(target_modules=["q_proj"], modules_to_save=["lm_head", "embed_tokens", "norm"]),
    ),
    "whole-linear": (
        "llama",
        dict(lora_modules_to_save=["layers.1.mlp"]),
        dict(target_modules=["q_proj", "up_proj"], modules_to_save=["layers.1.mlp"]),
    ),
    "bias": (
        "llama3",
        dict(lora_bias=True, lora_target_modules=["q_proj", "o_proj"]),
        dict(target_modules=["q_proj", "o_proj"], lora_bias=True),
    ),
    "noise": ("llama", dict(peft_init_lora_weights=False), dict(target_modules="all-linear", init_lora_weights=False)),
    "gaussian": ("llama", dict(peft_init_lora_weights="gaussian"), dict(target_modules="all-linear", init_lora_weights="gaussian")),
    "orthogonal": ("llama", dict(peft_init_lora_weights="orthogonal"), dict(target_modules="all-linear", init_lora_weights="orthogonal")),
    "pissa": ("llama", dict(peft_init_lora_weights="pissa"), dict(target_modules="all-linear", init_lora_weights="pissa")),
    "pissa-niter": ("llama", dict(peft_init_lora_weights="pissa_niter_4"), None),
    "olora": (
        "llama3",
        dict(peft_init_lora_weights="olora", lora_rank_pattern={"o_proj": 6}),
        dict(target_modules="all-linear", init_lora_weights="olora"),
    ),
    "olora-rslora": ("llama", dict(peft_init_lora_weights="olora", peft_use_rslora=True), None),
    "pissa-dora": ("llama", dict(peft_init_lora_weights="pissa", peft_use_dora=True), None),
    "ia3": (
        "llama3",
        dict(adapter="ia3", ia3_target_modules=MAPS, ia3_feedforward_modules=["o_proj", "down_proj"]),
        IA3Config(task_type="CAUSAL_LM", target_modules=MAPS, feedforward_modules=["o_proj", "down_proj"]),
    ),
    "ia3-default": ("llama", dict(adapter="ia3"), IA3Config(task_type="CAUSAL_LM")),
    "vera": (
        "llama3",
        dict(adapter="vera", vera_r=8, vera_dropout=0.1, vera_projection_prng_key=5),
        VeraConfig(task_type="CAUSAL_LM", r=8, target_modules="all-linear", projection_prng_key=5),
    ),
    "vera-of-some-layers": (
        "llama",
        dict(adapter="vera", vera_r=8, vera_target_modules=["q_proj", "down_proj"], peft_layers_to_transform=[1]),
        VeraConfig(task_type="CAUSAL_LM", r=8, target_modules=["q_proj", "down_proj"], layers_to_transform=[1]),
    ),
    "loraplus": ("llama", dict(loraplus_lr_ratio=4, neftune_noise_alpha=5, lora_dropout=0.1), None),
}
HALVES = {"gaussian": torch.bfloat16, "orthogonal": torch.float16}

work = pathlib.Path(sys.argv[1])
kinds = sys.argv[2:] or KINDS
rows(work)
bases = {family: make(work, family) for family in {KINDS[kind][0] for kind in kinds}}


def transformers_model(path):
    return AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)


def peft_model(base, adapter):
    model = transformers_model(base)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # PEFT only warns about keys and tensors that find no place
        warnings.filterwarnings("ignore", message=".*tie_word_embeddings=True")  # said of any adapter on a tied table
        return PeftModel.from_pretrained(model, adapter)


def written_by_nibble(kind, base, keys):
    method = {} if "adapter" in keys else dict(adapter="lora", lora_r=4)
    run = recipe(work, f"nibble-{kind}", base_model=str(base), max_steps=4, learning_rate=1e-2, micro_batch_size=2,
                 **(dict(sample_packing=False) | method | keys))
    nibble("train", run)
    folder = work / f"nibble-{kind}"
    samples = nibble_logits(folder, work / "logits")
    compare(f"{kind}, written by Nibble", samples, peft_model(base, folder))
    nibble("export", folder, "--merged", "--dtype", "f32", "--output", work / f"merged-{kind}")
    compare(f"{kind}, merged by Nibble", samples, transformers_model(work / f"merged-{kind}"))


def written_by_peft(kind, base, config):
    torch.manual_seed(7)
    if isinstance(config, dict):
        config = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, **config)
    model = get_peft_model(transformers_model(base), config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(torch.randn_like(parameter) * 0.03)
    if kind in HALVES:
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.to(HALVES[kind])
    folder = work / f"peft-{kind}"
    model.save_pretrained(folder)
    if kind in HALVES:
        model = PeftModel.from_pretrained(transformers_model(base), folder)
    keys = dict(base_model=str(base), adapter=config.peft_type.value.lower(), lora_model_dir=str(folder), sample_packing=False)
    samples = nibble_logits(recipe(work, f"eval-{kind}", **keys), work / "logits")
    compare(f"{kind}, written by PEFT", samples, model)
    nibble("train", recipe(work, f"on-{kind}", **keys, max_steps=2, learning_rate=1e-3, micro_batch_size=2))
    compare(f"{kind}, continued by Nibble", nibble_logits(work / f"on-{kind}", work / "logits"),
            peft_model(base, work / f"on-{kind}"))


for kind in kinds:
    family, keys, config = KINDS[kind]
    written_by_nibble(kind, bases[family], keys)
    if config is not None:
        written_by_peft(kind, bases[family], config)
