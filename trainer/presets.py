"""Shapes of published models, with the learning rate and batch they were trained with.

LLaMA 1: arXiv 2302.13971, table 2, and its model card. Llama 2: arXiv 2307.09288, table 1 and 5.
Llama 3: arXiv 2407.21783, table 3; it says no batch: 4 M for 8B and 70B is that of the others,
16 M for 405B its last. The schedule is LLaMA 1's for all: Llama 3 405B warmed up for 8000 steps and
ended at a hundredth. The small ones are ours: the same architecture at a size for a laptop or one
GPU. The vocabulary is always the tokenizer's; the one here is for counting.
"""

from __future__ import annotations

from dataclasses import dataclass

from trainer.model import ModelSettings, RopeScaling


@dataclass(frozen=True)
class Preset:
    """A shape, and how it was trained.

    Attributes:
        model: the shape.
        learning_rate: peak.
        batch_tokens: tokens of an optimizer step.
        training_tokens: of the published run; for our own, about 20 a parameter (arXiv 2203.15556).
    """

    model: ModelSettings
    learning_rate: float
    batch_tokens: int
    training_tokens: int


M, T = 10**6, 10**12
# "4M" tokens: 2048 windows of 2048, and as many tokens of longer windows.
BATCH_4M = 2**22


def _llama1(dim: int, layers: int, heads: int, hidden: int, eps: float) -> ModelSettings:
    return ModelSettings(dim, layers, heads, heads, hidden, 32_000, 2048, eps)


def _llama3(dim: int, layers: int, heads: int, hidden: int) -> ModelSettings:
    return ModelSettings(dim, layers, heads, 8, hidden, 128_256, 8192, 1e-5, 500_000.0)


PRESETS = {
    "1m": Preset(ModelSettings(96, 4, 4, 4, 256, 4096, 256), 3e-3, 16_384, 20 * M),
    "10m": Preset(ModelSettings(256, 8, 8, 8, 688, 8192, 512), 2e-3, 65_536, 200 * M),
    "125m": Preset(ModelSettings(768, 12, 12, 12, 2048, 32_000, 2048), 6e-4, 524_288, 2_500 * M),
    "1b": Preset(ModelSettings(2048, 18, 16, 16, 5632, 32_000, 2048), 3e-4, 1_048_576, 20_000 * M),
    "llama1-7b": Preset(_llama1(4096, 32, 32, 11_008, 1e-6), 3e-4, BATCH_4M, 1 * T),
    "llama1-13b": Preset(_llama1(5120, 40, 40, 13_824, 1e-6), 3e-4, BATCH_4M, 1 * T),
    "llama1-33b": Preset(_llama1(6656, 60, 52, 17_920, 1e-6), 1.5e-4, BATCH_4M, 1_400_000 * M),
    "llama1-65b": Preset(_llama1(8192, 80, 64, 22_016, 1e-5), 1.5e-4, BATCH_4M, 1_400_000 * M),
    "llama2-7b": Preset(
        ModelSettings(4096, 32, 32, 32, 11_008, 32_000, 4096), 3e-4, BATCH_4M, 2 * T
    ),
    "llama2-13b": Preset(
        ModelSettings(5120, 40, 40, 40, 13_824, 32_000, 4096), 3e-4, BATCH_4M, 2 * T
    ),
    "llama2-70b": Preset(
        ModelSettings(8192, 80, 64, 8, 28_672, 32_000, 4096), 1.5e-4, BATCH_4M, 2 * T
    ),
    "llama3-8b": Preset(_llama3(4096, 32, 32, 14_336), 3e-4, BATCH_4M, 15 * T),
    "llama3-70b": Preset(_llama3(8192, 80, 64, 28_672), 1.5e-4, BATCH_4M, 15 * T),
    "llama3-405b": Preset(_llama3(16_384, 126, 128, 53_248), 8e-5, 4 * BATCH_4M, 15_600_000 * M),
}

# Llama 3.1: 8192 tokens of context stretched to 131,072.
LLAMA31_ROPE_SCALING = RopeScaling(8.0, 1.0, 4.0, 8192)
