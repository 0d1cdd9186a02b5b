"""AdamW's groups and the learning rate."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.config import Config, OptimizerConfig
from trainer.config import OptimizerConfig as Settings
from trainer.errors import TrainerError
from trainer.model import Llama, ModelSettings
from trainer.optimizer import decay_groups, learning_rate_share, make_optimizer

COSINE = Settings(warmup_steps=10)
WSD = Settings(warmup_steps=10, schedule="wsd", decay_share=0.2, final_share=0.0)


def test_cosine_at_its_corners() -> None:
    def share(step: int) -> float:
        return learning_rate_share(step, 111, COSINE)

    assert share(0) == pytest.approx(0.1)
    assert share(9) == share(10) == 1.0
    assert share(11) < 1.0
    assert share(60) == pytest.approx(0.55)  # halfway from 1 to 0.1
    assert share(35) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)
    assert share(110) == pytest.approx(0.1)
    # A final rate that equals the peak would satisfy all but these.
    assert share(109) > share(110)


def test_wsd_at_its_corners() -> None:
    def share(step: int) -> float:
        return learning_rate_share(step, 101, WSD)

    assert share(0) == pytest.approx(0.1)
    assert {share(step) for step in range(10, 82)} == {1.0}
    assert share(91) == pytest.approx(9 / 19)
    assert share(100) == 0.0


@given(
    st.integers(2, 60).flatmap(lambda steps: st.tuples(st.just(steps), st.integers(0, steps - 2))),
    st.sampled_from(["cosine", "wsd"]),
    st.floats(0.01, 1.0),
)
def test_the_rate_rises_then_falls_to_its_end(
    lengths: tuple[int, int], schedule: str, decay_share: float
) -> None:
    steps, warmup = lengths
    settings = OptimizerConfig(warmup_steps=warmup, schedule=schedule, decay_share=decay_share)
    shares = [learning_rate_share(step, steps, settings) for step in range(steps)]
    assert shares[: warmup + 1] == sorted(shares[: warmup + 1])
    assert shares[warmup:] == sorted(shares[warmup:], reverse=True)
    assert max(shares) == 1.0
    assert shares[-1] == pytest.approx(0.1)


def test_a_warm_up_as_long_as_the_run_is_refused() -> None:
    with pytest.raises(TrainerError, match=r"warmup_steps = 10 does not fit into .*steps = 10"):
        learning_rate_share(0, 10, COSINE)


def test_matrices_decay_and_norms_do_not() -> None:
    model = Llama(ModelSettings(32, 2, 4, 2, 64, 100, 16))
    decayed, others = decay_groups(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    # Together all parameters, each once.
    assert sorted(names[id(parameter)] for parameter in decayed + others) == sorted(names.values())
    assert {names[id(parameter)] for parameter in others} == {
        name for name in names.values() if name.endswith("norm.weight")
    }
    assert len(others) == 5
    groups = make_optimizer(model, Config()).param_groups
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [
        (0.1, len(decayed)),
        (0.0, 5),
    ]
    assert {(group["betas"], group["lr"]) for group in groups} == {((0.9, 0.95), 3e-3)}
