"""Small PEFT adapters that hold more than LoRA's matrices, with the logits that PEFT gives them."""
import json, os, shutil, sys, torch, warnings
warnings.filterwarnings("ignore")
from peft import LoraConfig, get_peft_model, PeftModel
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM
from safetensors.torch import save_file, load_file

out = sys.argv[1]
TOKENS = torch.tensor([[1, 3, 7, 5, 30, 3, 0, 12, 31]])

def base(name, tied):
    torch.manual_seed(7)
    c = Qwen2Config(vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
        tie_word_embeddings=tied, initializer_range=0.3, dtype="float32", layer_types=["full_attention"]*2)
    m = Qwen2ForCausalLM(c)
    for n, p in m.named_parameters():
        if n.endswith("bias") or "norm" in n:
            p.data += 0.2 * torch.randn_like(p)
    folder = os.path.join(out, name)
    m.save_pretrained(folder)
    for f in os.listdir(folder):
        if f not in ("config.json", "model.safetensors"): os.remove(os.path.join(folder, f))
    return folder

def adapter(folder, name, change=lambda m: None, save={}, **lora):
    torch.manual_seed(11)
    m = AutoModelForCausalLM.from_pretrained(folder)
    change(m)
    lora = {"r": 2, "lora_alpha": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **lora}
    p = get_peft_model(m, LoraConfig(**lora))
    for n, q in p.named_parameters():
        if q.requires_grad:
            q.data += 0.2 * torch.randn_like(q)
    target = os.path.join(out, name)
    p.save_pretrained(target, **save)
    p = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), target).eval()
    with torch.no_grad():
        logits = p(TOKENS).logits[0]
    save_file({"tokens": TOKENS[0].to(torch.int32), "logits": logits.contiguous()}, os.path.join(target, "expected.safetensors"))
    try:
        q = p.merge_and_unload()
        with torch.no_grad(): print(name, "merged differs by", (q(TOKENS).logits[0]-logits).abs().max().item())
    except Exception as e: print(name, "merge:", repr(e)[:200])
    cfg = json.load(open(os.path.join(target, "adapter_config.json")))
    cfg["base_model_name_or_path"] = ""
    json.dump(cfg, open(os.path.join(target, "adapter_config.json"), "w"), indent=2, sort_keys=True)
    os.remove(os.path.join(target, "README.md"))
    print(name, sorted(load_file(os.path.join(target, "adapter_model.safetensors")).keys()))
    print({k: v for k, v in cfg.items() if k in ("modules_to_save", "target_modules", "trainable_token_indices", "ensure_weight_tying", "bias")})

shutil.rmtree(out, ignore_errors=True)
tied, own = base("tied", True), base("own-head", False)
def moved(m):
    m.get_input_embeddings().weight.data += 0.1 * torch.randn_like(m.get_input_embeddings().weight)
adapter(tied, "bias-all", bias="all")
adapter(tied, "bias-lora-only", bias="lora_only")
adapter(tied, "tokens-tied", trainable_token_indices=[3, 7])
adapter(own, "tokens-own-head", trainable_token_indices={"embed_tokens": [3], "lm_head": [5]})
adapter(tied, "embeddings-tied", moved, {"save_embedding_layers": True})
adapter(own, "embeddings-own-head", moved, {"save_embedding_layers": True})
adapter(tied, "tying-saved", modules_to_save=["embed_tokens"], ensure_weight_tying=True)
adapter(tied, "tying-lora", target_modules=["q_proj", "embed_tokens"], ensure_weight_tying=True)
adapter(own, "embeddings-adapted", moved, target_modules=["q_proj", "embed_tokens"])
adapter(tied, "embeddings-adapted-tied", moved, target_modules=["q_proj", "embed_tokens"])
