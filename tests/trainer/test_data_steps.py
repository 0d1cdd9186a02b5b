"""Which windows a step reads, and who reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_data import CONTEXT, small_config

from trainer.config import Config, DataConfig, TrainingConfig
from trainer.data import Steps, natural_shares, open_mixture
from trainer.errors import TrainerError
from trainer.parallel import Ranks

CPU = torch.device("cpu")


def steps_of(training: TrainingConfig, ranks: int = 1, rank: int = 0) -> Steps:
    return Steps(Config(training=training), 8, Ranks(rank, ranks, CPU))


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=3),
    st.integers(1, 5),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 2]),
)
def test_steps_follow_each_other_and_ranks_share_them(
    ramp: list[tuple[int, int]], size: int, ranks: int, micro_batch: int
) -> None:
    unit = 8 * 8
    training = TrainingConfig(
        batch_tokens=size * unit,
        batch_ramp=[(until, tokens * unit) for until, tokens in ramp],
        micro_batch=micro_batch,
    )
    alone = steps_of(training)
    shared = [steps_of(training, ranks, rank) for rank in range(ranks)]
    following = 0
    for step in range(15):
        windows = alone.windows(step)
        assert windows.start == following
        following = windows.stop
        own = [list(each.own_windows(step)) for each in shared]
        # Disjoint and covering, in order, the same number each.
        assert [window for part in own for window in part] == list(windows)
        assert len({len(part) for part in own}) == 1


def test_the_batch_ramp_grows_at_the_named_steps() -> None:
    ramp = [(5, 64), (2, 32)]
    steps = steps_of(TrainingConfig(batch_tokens=128, batch_ramp=ramp, micro_batch=1))
    sizes = [len(steps.windows(step)) for step in range(8)]
    assert sizes == [4, 4, 8, 8, 8, 16, 16, 16]


@pytest.mark.parametrize(
    ("tokens", "ranks", "micro_batch", "message"),
    [
        (40, 1, 2, r"5 windows of 8, which 1 ranks .* set training.batch_tokens = 32,"),
        (64, 3, 1, r"8 windows of 8, which 3 ranks .* set training.batch_tokens = 72,"),
        (3, 1, 1, r"0 windows of 8, .* set training.batch_tokens = 8,"),
    ],
)
def test_batches_that_cannot_be_cut_are_refused(
    tokens: int, ranks: int, micro_batch: int, message: str
) -> None:
    training = TrainingConfig(batch_tokens=tokens, micro_batch=micro_batch)
    with pytest.raises(TrainerError, match=message):
        steps_of(training, ranks)
    good = int(message.split("= ")[1].rstrip(","))
    steps_of(TrainingConfig(batch_tokens=good, micro_batch=micro_batch), ranks)


def test_micro_batches_are_the_windows_of_the_mixture(tokens: Path, tokenizer: Path) -> None:
    config = small_config(Path("out"), tokens, tokenizer, training__micro_batch=2)
    mixture = open_mixture(config.data, CONTEXT)
    read = {
        ranks: torch.cat(
            [
                batch
                for rank in range(ranks)
                for batch in Steps(config, CONTEXT, Ranks(rank, ranks, CPU)).micro_batches(
                    mixture, 5, CPU
                )
            ]
        )
        for ranks in (1, 2, 4)
    }
    assert read[1].shape == (8, CONTEXT + 1)
    assert read[1].tolist() == mixture.read(list(range(40, 48))).tolist()
    assert torch.equal(read[1], read[2])
    assert torch.equal(read[1], read[4])
    assert read[1].tolist() != mixture.read(list(range(8))).tolist()


def test_sources_without_shares_are_read_as_large_as_they_are(tokens: Path) -> None:
    mixture = open_mixture(DataConfig(tokens=[str(tokens)]), CONTEXT)
    sizes = [source.count for source in mixture.sources]
    counts = mixture.order.counts(sum(sizes)).tolist()
    assert counts == pytest.approx(sizes, abs=2)
    sizes = {source.dataset.source: source.dataset.tokens for source in mixture.sources}
    assert sum(natural_shares(sizes).values()) == pytest.approx(1.0, abs=0.002)
