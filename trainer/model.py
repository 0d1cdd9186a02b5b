"""LLaMA 1, 2 and 3 (arXiv 2302.13971, 2307.09288, 2407.21783) as one module.

Pre-norm transformer: RMSNorm computed in fp32, rotary positions (half-split, as Hugging Face lays
them out), SwiGLU, grouped-query attention, no biases, no dropout. Nothing of parallelism is here:
`trainer.parallel` wraps this model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

from trainer.loss import nats_each, nats_sum


@dataclass(frozen=True)
class RopeScaling:
    """Llama 3.1's stretching of long wavelengths; positions beyond `original_context` are new."""

    factor: float
    low_frequency_factor: float
    high_frequency_factor: float
    original_context: int


@dataclass(frozen=True)
class ModelSettings:
    """The shape of a model.

    Attributes:
        dim: width of the residual stream.
        layers, heads, kv_heads: `kv_heads` below `heads` is grouped-query attention.
        hidden: width of the feed-forward layers.
        vocabulary_size: rows of the embeddings.
        context: tokens of a window.
        norm_eps: of RMSNorm.
        rope_theta: base of the rotary frequencies.
        rope_scaling: None below Llama 3.1.
    """

    dim: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int
    vocabulary_size: int
    context: int
    norm_eps: float = 1e-5
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None

    def __post_init__(self) -> None:
        if self.dim % self.heads or self.heads % self.kv_heads or self.head_dim % 2:
            raise ValueError(
                f"dim {self.dim} must be heads {self.heads} times an even number, and heads a "
                f"multiple of kv_heads {self.kv_heads}"
            )

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads

    @property
    def parameters(self) -> int:
        """How many there are; embeddings in and out are separate."""
        attention = 2 * self.dim * self.head_dim * (self.heads + self.kv_heads)
        layer = attention + 3 * self.dim * self.hidden + 2 * self.dim
        return self.layers * layer + 2 * self.vocabulary_size * self.dim + self.dim

    @property
    def training_flops_per_token(self) -> int:
        """Forward and backward, as PaLM (appendix B) counts: 6 a matrix weight, and attention."""
        norms = (2 * self.layers + 1) * self.dim
        weights = self.parameters - self.vocabulary_size * self.dim - norms
        return 6 * weights + 12 * self.layers * self.dim * self.context


class RMSNorm(nn.Module):
    """Root mean square norm (arXiv 1910.07467), in fp32 whatever comes in."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype == torch.float32:
            return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)
        return F.rms_norm(x.float(), x.shape[-1:], None, self.eps).type_as(x) * self.weight


def rope_table(settings: ModelSettings, length: int) -> Tensor:
    """Cosines and signed sines of all positions, (2, length, head_dim), fp32; see `rotate`."""
    exponents = torch.arange(0, settings.head_dim, 2, dtype=torch.float32) / settings.head_dim
    frequencies = 1.0 / settings.rope_theta**exponents
    scaling = settings.rope_scaling
    if scaling is not None:
        wavelengths = 2 * math.pi / frequencies
        low, high = scaling.low_frequency_factor, scaling.high_frequency_factor
        blend = ((scaling.original_context / wavelengths - low) / (high - low)).clamp(0, 1)
        frequencies = blend * frequencies + (1 - blend) * frequencies / scaling.factor
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosines, cosines], 1), torch.cat([-sines, sines], 1)])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Rotate pairs (i, i + half) of (..., length, heads, head_dim) by their angles, in fp32."""
    cosines, sines = table[:, :, None]
    wide = x.float()
    partners = wide.roll(x.shape[-1] // 2, dims=-1)
    return torch.addcmul(wide * cosines, partners, sines).type_as(x)


@dataclass(frozen=True)
class Documents:
    """Where documents end: `lengths` of all of them, window after window, in tokens."""

    lengths: tuple[int, ...]


# What attention may see of what comes before: None is all of it; else its own document only.
AttentionMask = Documents | BlockMask | None


def document_mask(tokens: Tensor, bos_id: int, *, flex: bool) -> AttentionMask:
    """What each token may see: itself and what comes before it in its own document.

    A document starts at BOS. Positions need not start again there: rotary attention only knows
    differences.

    Args:
        tokens: (batch, length).
        bos_id: starts a document.
        flex: for FlexAttention, one kernel that skips what is masked, fast only when compiled; else
            documents are attended one by one.

    Returns:
        A BlockMask; or Documents, None where each window is a single one.
    """
    begins = tokens == bos_id
    batch, length = tokens.shape
    if flex:
        documents = begins.cumsum(1)

        def visible(row: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
            return (documents[row, query] == documents[row, key]) & (query >= key)

        return create_block_mask(visible, batch, None, length, length, device=str(tokens.device))
    begins[:, 0] = True
    starts = begins.flatten().nonzero().flatten().tolist()
    if len(starts) == batch:
        return None
    return Documents(tuple(end - start for start, end in pairwise([*starts, tokens.numel()])))


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask | None) -> Tensor:
    """Values mixed by causal attention, (batch, length, heads, head_dim) as the queries are."""
    grouped = key.shape[2] < query.shape[2]
    query, key, value = query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)
    if mask is None:
        mixed = F.scaled_dot_product_attention(
            query, key, value, is_causal=True, enable_gqa=grouped
        )
    else:
        mixed = flex_attention(query, key, value, block_mask=mask, enable_gqa=grouped)
    return mixed.transpose(1, 2)


def attend_documents(query: Tensor, key: Tensor, value: Tensor, documents: Documents) -> Tensor:
    """The same within each document only: less to compute than a mask over whole windows."""
    rows = (x.flatten(0, 1).split(documents.lengths) for x in (query, key, value))
    mixed = [attend(q[None], k[None], v[None], None)[0] for q, k, v in zip(*rows, strict=True)]
    return torch.cat(mixed).view_as(query)


class Attention(nn.Module):
    """Rotary self-attention; queries, keys and values come from one matrix."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = (
            settings.heads,
            settings.kv_heads,
            settings.head_dim,
        )
        rows = (self.heads + 2 * self.kv_heads) * self.head_dim
        self.query_key_value = nn.Linear(settings.dim, rows, bias=False)
        self.output = nn.Linear(settings.dim, settings.dim, bias=False)
        self.attend_documents = attend_documents

    def forward(self, x: Tensor, table: Tensor, mask: AttentionMask) -> Tensor:
        heads = self.query_key_value(x).unflatten(-1, (-1, self.head_dim))
        turned, value = heads.split([self.heads + self.kv_heads, self.kv_heads], dim=2)
        query, key = rotate(turned, table).split([self.heads, self.kv_heads], dim=2)
        if isinstance(mask, Documents):
            mixed = self.attend_documents(query, key, value, mask)
        else:
            mixed = attend(query, key, value, mask)
        return self.output(mixed.flatten(2))


class FeedForward(nn.Module):
    """SwiGLU (arXiv 2002.05202); gate and up projection are one matrix."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.gate_up = nn.Linear(settings.dim, 2 * settings.hidden, bias=False)
        self.down = nn.Linear(settings.hidden, settings.dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    """One layer: attention, then feed-forward, each added to what came in."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(settings.dim, settings.norm_eps)
        self.attention = Attention(settings)
        self.feed_forward_norm = RMSNorm(settings.dim, settings.norm_eps)
        self.feed_forward = FeedForward(settings)

    def forward(self, x: Tensor, table: Tensor, mask: AttentionMask) -> Tensor:
        x = x + self.attention(self.attention_norm(x), table, mask)
        return x + self.feed_forward(self.feed_forward_norm(x))


# Puts a whole weight, the second, into a parameter.
Fill: TypeAlias = Callable[[Tensor, Tensor], object]


class Llama(nn.Module):
    """Tokens in, logits or loss out."""

    rope: Tensor

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.embedding = nn.Embedding(settings.vocabulary_size, settings.dim)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.layers))
        self.norm = RMSNorm(settings.dim, settings.norm_eps)
        self.head = nn.Linear(settings.dim, settings.vocabulary_size, bias=False)
        self.register_buffer("rope", rope_table(settings, settings.context), persistent=False)

    @classmethod
    def without_memory(cls, settings: ModelSettings) -> Llama:
        """A model whose weights take none before `materialize`."""
        with torch.device("meta"):
            return cls(settings)

    def materialize(self, device: torch.device) -> None:
        """Move to the device. Weights that had no memory are whatever was there."""
        if not self.rope.is_meta:
            self.to(device)
            return
        self.to_empty(device=device)
        self.rope = rope_table(self.settings, self.settings.context).to(device)

    @torch.no_grad()
    def initialize(self, seed: int, fill: Fill = Tensor.copy_) -> None:
        """Draw the weights as GPT-2 did: N(0, 0.02), less for what adds to the residual stream.

        LLaMA's own initialisation is not published. The same seed gives the same weights whatever
        the parallelism: each is drawn whole, on the CPU, one after another.

        Args:
            seed: of the draws.
            fill: for parameters that hold a part of the weight only.
        """
        generator = torch.Generator().manual_seed(seed)
        residual = 0.02 / math.sqrt(2 * self.settings.layers)
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                parameter.fill_(1.0)
                continue
            adds = name.endswith(("attention.output.weight", "feed_forward.down.weight"))
            whole = torch.empty(parameter.shape)
            fill(parameter, whole.normal_(0.0, residual if adds else 0.02, generator=generator))

    def forward(
        self,
        tokens: Tensor,
        mask: AttentionMask = None,
        targets: Tensor | None = None,
        *,
        each: bool = False,
    ) -> Tensor:
        """Logits; or, given targets, their cross-entropy in nats.

        Args:
            tokens: (batch, length), length at most `context`.
            mask: what attention may see.
            targets: (batch, length), see `trainer.loss`.
            each: of every target, (batch, length), without gradients; else their sum.

        Returns:
            Logits (batch, length, vocabulary), or nats in fp32.
        """
        x = self.embedding(tokens)
        table = self.rope[:, : tokens.shape[1]]
        for block in self.blocks:
            x = block(x, table, mask)
        x = self.norm(x)
        if targets is None:
            return self.head(x)
        return (nats_each if each else nats_sum)(x, self.head.weight, targets)
