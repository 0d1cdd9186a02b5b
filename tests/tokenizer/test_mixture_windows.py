"""Windows of a mixture: which tokens, in which order, from which documents."""

from __future__ import annotations

import os
import pickle
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from token_data import BOS, TOKENIZER, documents, write_dataset

from tokenizer.errors import TokenizerError
from tokenizer.mixture.plan import plan, plan_lines
from tokenizer.mixture.windows import Mixture, SourceWindows, WindowDataset
from tokenizer.shards.reader import TokenDataset

SHARES = {"books": 0.5, "wikipedia": 0.3, "arxiv": 0.2}
LENGTH = 16


@pytest.fixture
def datasets(tmp_path: Path) -> dict[str, TokenDataset]:
    """Three sources of different sizes; books in several shards, one of a single document."""
    books = [documents(1, 20), [[BOS, 7, 2]], documents(2, 30)]
    return {
        "books": write_dataset(tmp_path / "books", books),
        "wikipedia": write_dataset(tmp_path / "wikipedia", [documents(3, 12)], source="wikipedia"),
        "arxiv": write_dataset(tmp_path / "arxiv", [documents(4, 40)], source="arxiv"),
    }


def _stream(dataset: TokenDataset) -> np.ndarray:
    shards = [dataset.shard(index).tokens for index in range(len(dataset.shards))]
    return np.concatenate(shards)


def test_the_windows_of_a_source_are_its_stream_at_a_stride(
    datasets: dict[str, TokenDataset],
) -> None:
    dataset = datasets["books"]
    stream = _stream(dataset)
    windows = SourceWindows(dataset, LENGTH)
    assert windows.count == (len(stream) - 1) // LENGTH
    out = np.zeros((windows.count, LENGTH + 1), np.uint16)
    windows.read_into(out, np.arange(windows.count), np.arange(windows.count))
    for ordinal in range(windows.count):
        expected = stream[ordinal * LENGTH : ordinal * LENGTH + LENGTH + 1]
        assert out[ordinal].tolist() == expected.tolist()


def test_a_window_may_cross_several_shards(tmp_path: Path) -> None:
    tiny = [[[BOS, number, 2]] for number in range(10, 40)]
    dataset = write_dataset(tmp_path / "tiny", tiny)
    windows = SourceWindows(dataset, 20)
    out = np.zeros((windows.count, 21), np.uint16)
    windows.read_into(out, np.arange(windows.count), np.arange(windows.count))
    assert out[2].tolist() == _stream(dataset)[40:61].tolist()


def test_each_window_comes_once_an_epoch_and_in_another_order_in_the_next(
    datasets: dict[str, TokenDataset],
) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=3)
    located = mixture.locate(np.arange(3000))
    orders = {}
    for source, windows in enumerate(mixture.sources):
        for epoch in range(2):
            mine = (located.sources == source) & (located.epochs == epoch)
            order = located.ordinals[mine].tolist()
            assert sorted(order) == list(range(windows.count)), (source, epoch)
            orders[source, epoch] = order
        assert orders[source, 0] != orders[source, 1]
    other = Mixture(datasets, SHARES, LENGTH, seed=4).locate(np.arange(3000))
    assert (other.sources == located.sources).all()
    assert (other.ordinals != located.ordinals).any()


def test_what_a_window_is_does_not_depend_on_who_asks(datasets: dict[str, TokenDataset]) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    whole = mixture.read(np.arange(500))
    again = Mixture(datasets, SHARES, LENGTH, seed=0)
    some = [499, 3, 3, 77]
    assert (again.read(some) == whole[some]).all()


@pytest.mark.parametrize("ranks", [1, 2, 5])
def test_ranks_share_the_windows_and_go_on_with_another_number_of_ranks(
    datasets: dict[str, TokenDataset], ranks: int
) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    whole = mixture.read(np.arange(100, 160)).tolist()
    parts = [WindowDataset(mixture, 60, first=100, rank=rank, ranks=ranks) for rank in range(ranks)]
    read = [None] * 60
    for rank, part in enumerate(parts):
        read[rank::ranks] = [part[index].tolist() for index in range(len(part))]
    assert read == whole
    assert sum(len(part) for part in parts) == 60


def test_a_torch_loader_reads_it_with_workers(datasets: dict[str, TokenDataset]) -> None:
    data = pytest.importorskip("torch.utils.data", reason="the trainer's extra is not installed")
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    loader = data.DataLoader(WindowDataset(mixture, 32), batch_size=8, num_workers=2)
    read = np.concatenate([batch.numpy() for batch in loader])
    assert (read == mixture.read(np.arange(32))).all()


def test_the_documents_of_a_window_hold_its_tokens(datasets: dict[str, TokenDataset]) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    tokens = mixture.read(np.arange(200))
    for window in range(200):
        source, epoch, found = mixture.documents(window)
        assert source in SHARES
        assert epoch >= 0
        assert sum(inside for _, inside in found) == LENGTH + 1
        assert {record.source for record, _ in found} == {source}
        starts = int((tokens[window] == BOS).sum())
        assert len(found) == starts + (tokens[window, 0] != BOS)
    first = mixture.documents(0)[2][0][0]
    assert first.url.startswith("https://example.org/unit-")
    assert first.licence == "CC-BY-4.0"


def test_the_fingerprint_names_all_that_decides_the_order(
    datasets: dict[str, TokenDataset],
) -> None:
    base = Mixture(datasets, SHARES, LENGTH, seed=0)
    same_shares = Mixture(datasets, {name: share * 10 for name, share in SHARES.items()}, LENGTH, 0)
    others = [
        Mixture(datasets, SHARES, LENGTH, seed=1),
        Mixture(datasets, SHARES, LENGTH * 2, seed=0),
        Mixture(datasets, {**SHARES, "books": 0.4}, LENGTH, seed=0),
        Mixture(datasets, {**SHARES, "books": 0}, LENGTH, seed=0),
    ]
    assert same_shares.fingerprint == base.fingerprint
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 5


def test_datasets_that_do_not_fit_are_refused(
    datasets: dict[str, TokenDataset], tmp_path: Path
) -> None:
    foreign = replace(TOKENIZER, sha256="cd" * 32)
    other = write_dataset(tmp_path / "other", [documents(5, 9)], tokenizer=foreign)
    with pytest.raises(TokenizerError, match=r"different tokenizers.*cdcd.*abab"):
        Mixture({**datasets, "books": other}, SHARES, LENGTH, 0)
    with pytest.raises(TokenizerError, match=r"less than one window of 9,001"):
        Mixture(datasets, SHARES, 9000, 0)
    with pytest.raises(TokenizerError, match="no tokens of c4"):
        Mixture(datasets, {**SHARES, "c4": 0.1}, LENGTH, 0)


def test_a_plan_says_what_the_reader_will_do(datasets: dict[str, TokenDataset]) -> None:
    windows = 1000
    rows = {row.source: row for row in plan(datasets, SHARES, windows * LENGTH, LENGTH)}
    located = Mixture(datasets, SHARES, LENGTH, seed=0).locate(np.arange(windows))
    for source, name in enumerate(SHARES):
        assert rows[name].wanted == LENGTH * int((located.sources == source).sum())
        assert int(rows[name].epochs) == int(located.epochs[located.sources == source].max())
        assert rows[name].available == datasets[name].tokens


def test_a_plan_warns_of_missing_sources_and_of_many_epochs(
    datasets: dict[str, TokenDataset],
) -> None:
    rows = plan(datasets, {**SHARES, "c4": 0.5}, 100_000, LENGTH)
    text = "\n".join(plan_lines(rows, maximum_epochs=4))
    assert "less than one window of c4; make them, or give them no share: shares.c4 = 0" in text
    assert "more than 4 epochs of books" in text
    reachable = int(text.rsplit("With these shares ", 1)[1].split()[0].replace(",", ""))
    within = plan(datasets, {**SHARES, "c4": 0.5}, reachable, LENGTH)
    assert "epochs of" not in "\n".join(plan_lines(within, maximum_epochs=4))
    beyond = plan(datasets, {**SHARES, "c4": 0.5}, reachable + 50 * LENGTH, LENGTH)
    assert "epochs of" in "\n".join(plan_lines(beyond, maximum_epochs=4))


def test_more_shards_than_files_may_be_open(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "many", [[[BOS, *range(3, 20), 2]] for _ in range(150)])
    mixture = Mixture({"books": dataset}, {"books": 1.0}, LENGTH, seed=0)
    windows = np.arange(mixture.sources[0].count)
    expected = mixture.read(windows)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    now = sum(1 for _ in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (now + 100, limits[1]))
    try:
        again = TokenDataset.open(dataset.folder)
        read = Mixture({"books": again}, {"books": 1.0}, LENGTH, seed=0).read(windows)
        assert (read == expected).all()
        assert sum(len(again.shard(number).tokens) for number in range(150)) == again.tokens
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_mixture_can_be_sent_to_a_loader_that_has_read_nothing(
    datasets: dict[str, TokenDataset],
) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    expected = mixture.read(np.arange(100))
    datasets["books"].shard(0)
    sent = pickle.dumps(WindowDataset(mixture, 100))
    assert datasets["books"].shard(0).tokens[:40].tobytes() not in sent
    read = pickle.loads(sent).__getitems__(range(100))
    assert (np.stack(read) == expected).all()


def test_a_file_cut_short_while_it_is_read(datasets: dict[str, TokenDataset]) -> None:
    mixture = Mixture(datasets, SHARES, LENGTH, seed=0)
    path = f"{datasets['arxiv'].shards[0].stem}.bin"
    os.truncate(path, 100)
    with pytest.raises(TokenizerError, match=r"arxiv/train/unit-000\.\w+\.bin ends at byte \d+"):
        mixture.read(np.arange(200))


def test_windows_count_from_0(datasets: dict[str, TokenDataset]) -> None:
    with pytest.raises(TokenizerError, match="-1 cannot be the first"):
        WindowDataset(Mixture(datasets, SHARES, LENGTH, seed=0), 10, first=-1)
