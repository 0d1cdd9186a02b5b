"""One contender of `trainer_speed.py`: does so many optimizer steps for each line it reads.

All have the same width, layers, heads, vocabulary and batch, AdamW fused, the gradient clipped,
attention by `scaled_dot_product_attention`, matrix products under autocast if in bf16, and
`torch.compile` if wanted: litgpt and nanoGPT compile the whole model, ours each block.

- litgpt: `litgpt.GPT` with the settings of LLaMA, stepped as `litgpt pretrain` does.
- gpt2: written here after nanoGPT's description of itself. GPT-2 without biases: learned
  positions, LayerNorm, GELU, feed-forward layers four times as wide, no dropout, embeddings tied.
  It has no rotary positions and no gate: 2 large matrices where LLaMA has 3 smaller.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DIM, LAYERS, HEADS, HIDDEN = 256, 8, 8, 688
Step = Callable[[], None]


class Gpt2Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(DIM, bias=False) for _ in range(2))
        self.query_key_value = nn.Linear(DIM, 3 * DIM, bias=False)
        self.output = nn.Linear(DIM, DIM, bias=False)
        self.up = nn.Linear(DIM, 4 * DIM, bias=False)
        self.down = nn.Linear(4 * DIM, DIM, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.query_key_value(self.norms[0](x)).split(DIM, dim=-1)
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class Gpt2(nn.Module):
    def __init__(self, vocabulary: int, context: int) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, DIM)
        self.positions = nn.Embedding(context, DIM)
        self.blocks = nn.ModuleList(Gpt2Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(DIM, bias=False)
        self.head = nn.Linear(DIM, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def litgpt_model(vocabulary: int, context: int) -> nn.Module:
    try:
        from litgpt import GPT, Config  # noqa: PLC0415  (in the peer's environment only)
    except ModuleNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed: pip install litgpt")

    return GPT(
        Config(
            name="llama",
            block_size=context,
            padded_vocab_size=vocabulary,
            n_layer=LAYERS,
            n_head=HEADS,
            n_embd=DIM,
            rotary_percentage=1.0,
            parallel_residual=False,
            bias=False,
            norm_class_name="RMSNorm",
            mlp_class_name="LLaMAMLP",
            intermediate_size=HIDDEN,
        )
    )


def peer_step(settings: dict[str, Any]) -> Step:
    """A step of one of the others."""
    torch.manual_seed(0)
    vocabulary = settings["vocabulary"]
    is_litgpt = settings["kind"] == "litgpt"
    model: Any = (litgpt_model if is_litgpt else Gpt2)(vocabulary, settings["context"])
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True
    )
    if settings["compile"]:
        model = torch.compile(model)
    shape = (settings["windows"], settings["context"] + 1)
    batches = [torch.randint(vocabulary, shape) for _ in range(8)]
    narrow = torch.autocast("cpu", torch.bfloat16, enabled=settings["precision"] == "bf16")
    parameters = list(model.parameters())

    def step() -> None:
        batches.append(batches.pop(0))
        inputs, targets = batches[0][:, :-1].contiguous(), batches[0][:, 1:].contiguous()
        with narrow:
            logits = model(inputs)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()

    return step


def our_step(settings: dict[str, Any]) -> Step:
    """The trainer's own step: reads the windows, masks, normalises by the targets that count."""
    from trainer.config import config_from  # noqa: PLC0415  (not in the peer's)
    from trainer.parallel import Ranks  # noqa: PLC0415  (not in the peer's)
    from trainer.train import Run  # noqa: PLC0415  (not in the peer's)

    context, windows = settings["context"], settings["windows"]
    shape = {"dim": DIM, "layers": LAYERS, "heads": HEADS, "hidden": HIDDEN, "context": context}
    data = {
        "output": tempfile.mkdtemp(),
        "device": "cpu",
        "model": {"preset": "10m", **shape},
        "data": {
            "tokens": [settings["tokens"]],
            "tokenizer": settings["tokenizer"],
            "document_mask": settings["kind"] == "ours",
        },
        "training": {
            "steps": 100_000,
            "batch_tokens": windows * context,
            "micro_batch": windows,
            "precision": settings["precision"],
            "compile": settings["compile"],
        },
    }
    run = Run(config_from(data, "the benchmark"), Ranks(0, 1, torch.device("cpu")), None)

    def step() -> None:
        run.step()

    return step


def main() -> None:
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(settings["threads"])
    step = (our_step if settings["kind"].startswith("ours") else peer_step)(settings)
    for line in sys.stdin:
        cpu, wall = time.process_time(), time.monotonic()
        for _ in range(int(line)):
            step()
        print("done", time.process_time() - cpu, time.monotonic() - wall, flush=True)


if __name__ == "__main__":
    main()
