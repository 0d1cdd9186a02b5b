"""Presets have the published numbers."""

from __future__ import annotations

import pytest
import torch

from trainer.config import config_from
from trainer.errors import TrainerError
from trainer.model import Llama
from trainer.optimizer import learning_rate_share
from trainer.presets import PRESETS

PARAMETERS = {
    "1m": 1_229_664,
    "10m": 10_522_880,
    "125m": 134_105_856,
    "1b": 1_055_991_808,
    "llama1-7b": 6_738_415_616,
    "llama1-13b": 13_015_864_320,
    "llama1-33b": 32_528_943_616,
    "llama1-65b": 65_285_660_672,
    "llama2-7b": 6_738_415_616,
    "llama2-13b": 13_015_864_320,
    "llama2-70b": 68_976_648_192,
    "llama3-8b": 8_030_261_248,
    "llama3-70b": 70_553_706_496,
    "llama3-405b": 405_853_388_800,
}
# arXiv 2302.13971, table 2: peak learning rate, tokens.
LLAMA1 = {
    "llama1-7b": (3e-4, 1_000_000_000_000),
    "llama1-13b": (3e-4, 1_000_000_000_000),
    "llama1-33b": (1.5e-4, 1_400_000_000_000),
    "llama1-65b": (1.5e-4, 1_400_000_000_000),
}


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_those_published(name: str) -> None:
    settings = PRESETS[name].model
    with torch.device("meta"):
        model = Llama(settings)
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert counted == settings.parameters == PARAMETERS[name]


@pytest.mark.parametrize("name", LLAMA1)
def test_llama1_trains_as_in_table_2(name: str) -> None:
    config = config_from({"model": {"preset": name}}, "a test")
    rate, tokens = LLAMA1[name]
    assert config.learning_rate == rate
    assert config.batch_tokens == 4 * 2**20
    assert abs(config.steps * config.batch_tokens - tokens) <= config.batch_tokens / 2
    optimizer = config.optimizer
    assert (optimizer.beta1, optimizer.beta2, optimizer.weight_decay) == (0.9, 0.95, 0.1)
    assert (optimizer.clip, optimizer.final_share) == (1.0, 0.1)
    rates = [learning_rate_share(step, config.steps, optimizer) for step in (0, 1998, 1999)]
    assert rates == [1 / 2000, 1999 / 2000, 1.0]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_by_itself_warms_up_within_its_run(name: str) -> None:
    config = config_from({"model": {"preset": name}}, "a test")
    peak = min(2000, config.steps // 10) - 1
    shares = [learning_rate_share(step, config.steps, config.optimizer) for step in (0, peak)]
    assert shares == [1 / (peak + 1), 1.0]


@pytest.mark.parametrize("name", PRESETS)
def test_batches_are_whole_windows(name: str) -> None:
    preset = PRESETS[name]
    assert preset.batch_tokens % (8 * preset.model.context) == 0


def test_what_is_given_wins_over_the_preset() -> None:
    config = config_from(
        {
            "model": {"preset": "llama1-7b", "heads": 16, "llama31_rope": True},
            "optimizer": {"learning_rate": 0.5},
            "training": {"batch_tokens": 2048, "steps": 3},
        },
        "a test",
    )
    settings = config.model.settings(500)
    assert (settings.heads, settings.kv_heads, settings.vocabulary_size) == (16, 16, 500)
    assert settings.rope_scaling is not None
    assert (config.learning_rate, config.batch_tokens, config.steps) == (0.5, 2048, 3)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"preset": "llama9"}, "there is no preset 'llama9'; there are 1m"),
        ({"preset": "1m", "heads": 7}, "dim 96 must be heads 7 times an even number"),
        ({"preset": "1m", "kv_heads": 3}, "a multiple of kv_heads 3"),
        ({"preset": "1m", "widht": 3}, "widht"),
    ],
)
def test_shapes_that_cannot_be_are_refused(model: dict[str, object], message: str) -> None:
    with pytest.raises(TrainerError, match=message):
        config_from({"model": model}, "a test")
