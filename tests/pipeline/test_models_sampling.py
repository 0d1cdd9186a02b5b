"""Draws by hash: bounded, independent of order, and the smallest hashes."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.models.sampling import SampledLines, SmallestHashes, hash_of, in_share


@given(st.lists(st.integers(0, (1 << 64) - 1), unique=True), st.integers(0, 8), st.integers(0, 8))
def test_smallest_hashes_are_the_smallest(values: list[int], limit: int, final: int) -> None:
    hashes = SmallestHashes(limit)
    for value in values:
        hashes.offer(value)
    wanted = sorted(values)[: min(limit, final)]
    assert len(hashes) == min(limit, len(values))
    threshold = hashes.finish(final)
    assert [value for value in sorted(values) if value <= threshold] == wanted or (
        len(values) <= min(limit, final) and threshold >= max(values, default=0)
    )


def test_sampled_lines_do_not_depend_on_the_order_of_adding(tmp_path: Path) -> None:
    lines = [f"line {number} é\u2028\x85" for number in range(2000)]
    shuffled = random.Random(1).sample(lines, len(lines))
    samples = []
    for name, order in (("a", lines), ("b", shuffled)):
        sample = SampledLines(tmp_path / name, 100, seed=1)
        for line in order:
            sample.add(line)
        drawn = list(sample)
        assert drawn == [line for line in order if line in set(drawn)]
        assert (len(drawn), sample.drawn, sample.added) == (100, 100, 2000)
        assert len((tmp_path / name).read_text(encoding="utf-8").split("\n")) < 1000
        samples.append(set(drawn))
    assert samples[0] == samples[1]
    assert samples[0] == set(sorted(lines, key=lambda line: hash_of(line, 1))[:100])


def test_few_lines_are_all_drawn(tmp_path: Path) -> None:
    sample = SampledLines(tmp_path / "a", 10, seed=1)
    for line in ("one", "two", "", "two"):
        sample.add(line)
    assert list(sample) == ["one", "two", "", "two"]


def test_in_share_is_about_that_share() -> None:
    drawn = sum(in_share(f"document {number}", 0.1, seed=3) for number in range(10_000))
    assert 900 < drawn < 1100
    assert not in_share("any", 0.0, seed=3)
    assert in_share("any", 1.0, seed=3)
