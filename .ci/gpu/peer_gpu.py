"""What PEFT does with the work of `nibble bench --device cuda`: the same shapes, lengths and micro-batches.

    python peer_gpu.py --shape 7b --seq 2048 --micro-batch 4

Random weights in NF4 with double quantisation, LoRA of rank 16 by PEFT on all linear layers, bf16 autocast, gradient
checkpointing, AdamW, clipping. NF4 is that of bitsandbytes where it can be imported; else `Nf4Linear` below, which holds
the same codes, gives them back in bf16 before each product by a Triton kernel (where there is none, by PyTorch), and
again in backward, as bitsandbytes does. Prints one line of JSON: tokens/s of the median step, memory of the device.
`--device cpu` checks the program itself, at small shapes.
"""

import argparse
import json
import statistics
import time

import torch

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

SHAPES = {
    "tiny": dict(hidden_size=512, intermediate_size=1408, num_hidden_layers=4, num_attention_heads=8,
                 num_key_value_heads=4, vocab_size=4096),
    "1b": dict(hidden_size=2048, intermediate_size=5632, num_hidden_layers=22, num_attention_heads=32,
               num_key_value_heads=4, vocab_size=32000),
    "7b": dict(hidden_size=4096, intermediate_size=11008, num_hidden_layers=32, num_attention_heads=32,
               num_key_value_heads=32, vocab_size=32000),
}
BLOCK = 64
SCALES_BLOCK = 256


def nf4_values():
    """The sixteen values of NF4 (arXiv:2305.14314, appendix E)."""
    return torch.tensor([
        -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
        -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
        0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])


if triton is not None:
    @triton.jit
    def give_back(out, codes, scales, outer, values, offset, bytes_, BLOCK: tl.constexpr, NUMBERS: tl.constexpr,
                  SCALES: tl.constexpr):
        """Each program BLOCK bytes of codes, two numbers each, the high bits first."""
        i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        inside = i < bytes_
        code = tl.load(codes + i, mask=inside, other=0)
        block = i * 2 // NUMBERS
        scale = tl.load(scales + block, mask=inside, other=0).to(tl.float32)
        scale = scale * tl.load(outer + block // SCALES, mask=inside, other=0) + offset
        high = tl.load(values + (code >> 4)).to(tl.float32) * scale
        low = tl.load(values + (code & 15)).to(tl.float32) * scale
        tl.store(out + 2 * i, high.to(tl.bfloat16), mask=inside)
        tl.store(out + 2 * i + 1, low.to(tl.bfloat16), mask=inside)


class Nf4Linear(torch.nn.Linear):
    """A frozen linear map in NF4, its scales in 8 bits; `weight` is the codes."""

    def __init__(self, weight):
        out_features, in_features = weight.shape
        super().__init__(in_features, out_features, bias=False, device="meta")
        values = nf4_values().to(weight.device)
        blocks = weight.float().reshape(-1, BLOCK)
        absmax = blocks.abs().amax(1)
        between = (values[1:] + values[:-1]) / 2
        codes = torch.bucketize(blocks / absmax.clamp_min(1e-38)[:, None], between).to(torch.uint8).reshape(-1)
        self.weight = torch.nn.Parameter(codes[0::2] << 4 | codes[1::2], requires_grad=False)
        self.offset = absmax.mean().item()
        rest = absmax - self.offset
        padded = torch.nn.functional.pad(rest, (0, -len(rest) % SCALES_BLOCK)).reshape(-1, SCALES_BLOCK)
        outer = padded.abs().amax(1, keepdim=True).clamp_min(1e-38)
        self.register_buffer("scales", (padded / outer * 127).round().to(torch.int8))
        self.register_buffer("outer", outer / 127)
        self.register_buffer("values", values)
        self.blocks = len(absmax)

    def dense(self):
        if triton is not None and self.weight.is_cuda:
            out = torch.empty(self.out_features, self.in_features, dtype=torch.bfloat16, device=self.weight.device)
            count = self.weight.numel()
            give_back[(triton.cdiv(count, 1024),)](out, self.weight, self.scales, self.outer, self.values, self.offset, count,
                                                   BLOCK=1024, NUMBERS=BLOCK, SCALES=SCALES_BLOCK)
            return out
        codes = torch.stack((self.weight >> 4, self.weight & 15), 1).reshape(-1, BLOCK)
        scales = (self.scales * self.outer).reshape(-1)[:self.blocks] + self.offset
        return (self.values[codes.int()] * scales[:, None]).to(torch.bfloat16).reshape(self.out_features, self.in_features)

    def forward(self, x):
        return Product.apply(x.to(torch.bfloat16), self)


class Product(torch.autograd.Function):
    """x W^T, with W given back anew in backward and not kept until then."""

    @staticmethod
    def forward(context, x, linear):
        context.linear = linear
        return torch.nn.functional.linear(x, linear.dense())

    @staticmethod
    def backward(context, dout):
        return dout.to(torch.bfloat16) @ context.linear.dense(), None


def linears(model):
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is torch.nn.Linear and name != "lm_head":
                yield module, name, child


def in_nf4(model, plain, device):
    """Brings all linear layers to NF4, and gives who computes with it."""
    try:
        if plain:
            raise ImportError
        import bitsandbytes as bnb
    except ImportError:
        for module, name, child in linears(model):
            setattr(module, name, Nf4Linear(child.weight.data))
        return "torch" if triton is None or device == "cpu" else "triton"
    for module, name, child in linears(model):
        new = bnb.nn.Linear4bit(child.in_features, child.out_features, bias=False, compute_dtype=torch.bfloat16,
                                compress_statistics=True, quant_type="nf4")
        new.weight = bnb.nn.Params4bit(child.weight.data, requires_grad=False, compress_statistics=True,
                                       quant_type="nf4", module=new)
        setattr(module, name, new.to(device))
    return "bitsandbytes"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shape", choices=SHAPES, default="tiny")
    arguments.add_argument("--seq", type=int, default=512)
    arguments.add_argument("--micro-batch", type=int, default=1)
    arguments.add_argument("--steps", type=int, default=3)
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--plain", action="store_true", help="without bitsandbytes, even where it is")
    given = arguments.parse_args()
    cuda = given.device.startswith("cuda")

    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(**SHAPES[given.shape], max_position_embeddings=max(4096, given.seq),
                         attn_implementation="sdpa")
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(given.device):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(default)
    for p in model.parameters():
        p.requires_grad_(False)
    peer = "peft+" + in_nf4(model, given.plain, given.device.split(":")[0])
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear",
                                             task_type="CAUSAL_LM"))
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs=dict(use_reentrant=False))
    model.enable_input_require_grads()
    model.train()

    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-4)
    ids = torch.randint(0, config.vocab_size, (given.micro_batch, given.seq), device=given.device)
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds, losses = [], []
    for _ in range(given.steps + 1):
        start = time.perf_counter()
        with torch.autocast(given.device.split(":")[0], dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())  # waits for the device
        seconds.append(time.perf_counter() - start)
    step = statistics.median(seconds[1:])
    result = dict(peer=peer, shape=given.shape, seq=given.seq, micro_batch=given.micro_batch, step_s=round(step, 4),
                  tok_s=round(given.micro_batch * given.seq / step, 1), trained=sum(p.numel() for p in trained),
                  losses=[round(x, 4) for x in losses])
    if cuda:
        result["device"] = torch.cuda.get_device_name()
        result["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 3)
        free, total = torch.cuda.mem_get_info()
        result["device_in_use_gib"] = round((total - free) / 2**30, 3)
        result["reserved_gib"] = round(torch.cuda.max_memory_reserved() / 2**30, 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
