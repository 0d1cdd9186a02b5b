"""Held-out scores: closed forms, whole bytes, and no dependence on how windows are grouped."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from token_data import BOS, EOS, documents, write_dataset
from torch import Tensor, nn
from training_data import CONTEXT, PIECES, identity_of

from tokenizer.encoder import Encoder
from tokenizer.mixture.datasets import find_datasets
from tokenizer.mixture.windows import SourceWindows
from tokenizer.shards.reader import TokenDataset
from trainer.errors import TrainerError
from trainer.evaluate import Evaluation, PieceBytes, piece_bytes
from trainer.loss import nats_each
from trainer.model import Llama, ModelSettings
from trainer.parallel import Ranks

ONE = Ranks(0, 1, torch.device("cpu"))
SETTINGS = ModelSettings(32, 2, 4, 2, 64, PIECES, CONTEXT)
# Dummy prefix, byte fallback, pieces of several bytes, blanks, and nothing at all.
TEXTS = ["", "abc abd", "é", "東京 is far", "🙂🙂", " leading", "  two", "\n\ttabs\n", "", "a", " "]


class Uniform(nn.Module):
    """Every token is as likely as any other."""

    def forward(self, tokens: Tensor, mask: object, targets: Tensor, *, each: bool) -> Tensor:
        assert each
        return nats_each(torch.ones(*tokens.shape, 1), torch.zeros(PIECES, 1), targets)


def small_model() -> Llama:
    model = Llama(SETTINGS)
    model.initialize(seed=1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(5)
    return model


def evaluation(
    pieces: PieceBytes,
    *,
    length: int = CONTEXT,
    tokens: int = 10**9,
    micro_batch: int = 4,
    masked: bool = True,
) -> Evaluation:
    return Evaluation(pieces, length, tokens, micro_batch, masked, ONE)


def text_dataset(folder: Path, tokenizer: Path, texts: list[str]) -> TokenDataset:
    """The texts as `roving tokenize` encodes them, in two shards."""
    encoder = Encoder(str(tokenizer), cache_bytes=10**6)
    encoded = encoder.encode(texts).framed(BOS, EOS)
    ends = np.cumsum(encoded.lengths)
    found = [part.tolist() for part in np.split(encoded.ids, ends[:-1])]
    half = len(found) // 2
    shards = [found[:half], found[half:]]
    return write_dataset(folder, shards, split="validation", tokenizer=identity_of(tokenizer))


def divisor(number: int) -> int:
    """A window length that leaves no token over."""
    return next(size for size in range(5, number + 1) if number % size == 0)


def test_whole_documents_have_the_bytes_of_their_texts(tokenizer: Path, tmp_path: Path) -> None:
    dataset = text_dataset(tmp_path / "books", tokenizer, TEXTS)
    length = divisor(dataset.tokens - 1)
    score = evaluation(piece_bytes(str(tokenizer)), length=length).score(
        Uniform(), {"books": dataset}
    )["books"]
    assert score.bytes == sum(len(text.encode()) for text in TEXTS)
    # All tokens are targets but BOS: of each document, its text's and EOS.
    assert score.tokens == dataset.tokens - len(TEXTS)


def test_without_a_dummy_prefix_no_byte_is_taken_off(tokenizer: Path, tmp_path: Path) -> None:
    other = tmp_path / "tokenizer"
    other.mkdir()
    content = (tokenizer / "tokenizer.model").read_bytes()
    # Appended to a protocol buffer: normalizer_spec.add_dummy_prefix = false.
    (other / "tokenizer.model").write_bytes(content + b"\x1a\x02\x18\x00")
    dataset = text_dataset(tmp_path / "books", other, TEXTS)
    pieces = piece_bytes(str(other))
    length = divisor(dataset.tokens - 1)
    score = evaluation(pieces, length=length).score(Uniform(), {"books": dataset})["books"]
    assert (pieces.prefix, piece_bytes(str(tokenizer)).prefix) == (0, 1)
    assert score.bytes == sum(len(text.encode()) for text in TEXTS)


def test_a_uniform_model_has_the_closed_form(tokenizer: Path, tmp_path: Path) -> None:
    texts = [f"abc def {number} " * number for number in range(1, 20)]
    dataset = text_dataset(tmp_path / "books", tokenizer, texts)
    found = evaluation(piece_bytes(str(tokenizer)), length=divisor(dataset.tokens - 1)).score(
        Uniform(), {"books": dataset}
    )
    score = found["books"]
    size = sum(len(text.encode()) for text in texts)
    assert score.loss == pytest.approx(math.log(PIECES), rel=1e-6)
    assert score.perplexity == pytest.approx(PIECES, rel=1e-5)
    expected = (dataset.tokens - len(texts)) * math.log2(PIECES) / size
    assert score.bits_per_byte == pytest.approx(expected, rel=1e-6)
    assert found["all"] == score


def test_sources_weighted_by_their_sizes_make_the_whole(tokenizer: Path, tokens: Path) -> None:
    datasets = find_datasets([str(tokens)], "validation")
    scores = evaluation(piece_bytes(str(tokenizer))).score(small_model(), datasets)
    whole = scores.pop("all")
    parts = list(scores.values())
    assert len(parts) == 2
    assert parts[0].bits_per_byte != pytest.approx(parts[1].bits_per_byte, rel=1e-3)
    assert whole.tokens == sum(part.tokens for part in parts)
    assert whole.bytes == sum(part.bytes for part in parts)
    nats = sum(part.loss * part.tokens for part in parts)
    bits = sum(part.bits_per_byte * part.bytes for part in parts)
    assert whole.loss == pytest.approx(nats / whole.tokens, rel=1e-9)
    assert whole.bits_per_byte == pytest.approx(bits / whole.bytes, rel=1e-9)
    assert bits == pytest.approx(nats / math.log(2), rel=1e-9)


def test_any_micro_batch_gives_the_same(tokenizer: Path, tokens: Path) -> None:
    datasets = find_datasets([str(tokens)], "validation")
    model = small_model()
    model.train()
    pieces = piece_bytes(str(tokenizer))
    one, three, many = (
        evaluation(pieces, micro_batch=size).score(model, datasets)["all"] for size in (1, 3, 64)
    )
    for other in (three, many):
        assert (other.tokens, other.bytes) == (one.tokens, one.bytes)
        assert other.bits_per_byte == pytest.approx(one.bits_per_byte, rel=1e-6)
        assert other.standard_error == pytest.approx(one.standard_error, rel=1e-4)
    assert model.training
    assert evaluation(pieces, masked=False).score(model, datasets)["all"].loss != pytest.approx(
        one.loss, rel=1e-5
    )


RANK = """
import json, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from test_evaluate import SETTINGS, small_model
from tokenizer.mixture.datasets import find_datasets
from trainer.evaluate import Evaluation, piece_bytes
from trainer.parallel import join_ranks
with join_ranks("cpu") as ranks:
    judge = Evaluation(piece_bytes({tokenizer!r}), SETTINGS.context, 10**9, 3, True, ranks)
    scores = judge.score(small_model(), find_datasets([{tokens!r}], "validation"))
    Path({folder!r}, f"{{ranks.rank}}.json").write_text(
        json.dumps({{name: score.to_json() for name, score in scores.items()}})
    )
"""


@pytest.mark.engines
def test_two_ranks_give_what_one_gives(tokenizer: Path, tokens: Path, tmp_path: Path) -> None:
    here = Path(__file__).resolve().parent
    paths = [str(here), str(here.parent / "tokenizer")]
    code = RANK.format(
        paths=paths, tokenizer=str(tokenizer), tokens=str(tokens), folder=str(tmp_path)
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **shared, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]
    assert [process.wait(120) for process in processes] == [0, 0]
    first, second = ((tmp_path / f"{rank}.json").read_text() for rank in range(2))
    assert first == second
    alone = evaluation(piece_bytes(str(tokenizer)), micro_batch=3).score(
        small_model(), find_datasets([str(tokens)], "validation")
    )
    for name, found in json.loads(first).items():
        assert found == pytest.approx(alone[name].to_json(), rel=1e-6), name


def test_the_standard_error_is_that_of_resampled_windows(tokenizer: Path, tmp_path: Path) -> None:
    found = documents(5, 300, vocabulary_size=PIECES)
    dataset = write_dataset(
        tmp_path / "books", [found], split="validation", tokenizer=identity_of(tokenizer)
    )
    judge = evaluation(piece_bytes(str(tokenizer)), micro_batch=16)
    model = small_model()
    score = judge.score(model, {"books": dataset})["books"]
    with torch.no_grad():
        sums = judge._sums(model, SourceWindows(dataset, CONTEXT)).numpy()
    random = np.random.default_rng(0)
    drawn = sums[random.integers(0, len(sums), (2000, len(sums)))].sum(1)
    resampled = (drawn[:, 0] / math.log(2) / drawn[:, 2]).std()
    assert len(sums) > 200
    assert score.standard_error == pytest.approx(resampled, rel=0.1)
    fewer = evaluation(judge.pieces, tokens=CONTEXT * (len(sums) // 4)).score(
        model, {"books": dataset}
    )["books"]
    assert 1.4 < fewer.standard_error / score.standard_error < 2.8
    one = evaluation(judge.pieces, tokens=1).score(model, {"books": dataset})["books"]
    assert math.isnan(one.standard_error)
    assert one.to_json()["standard_error"] is None


def test_a_limit_takes_windows_from_all_over_the_source(tokenizer: Path, tmp_path: Path) -> None:
    """Half of the source is long pieces, half short ones: a sample must see both."""
    pieces = piece_bytes(str(tokenizer))
    order = np.argsort(pieces.sizes[3:]) + 3
    short, long = int(order[0]), int(order[-1])
    found = [[BOS, *[token] * 1000, EOS] for token in (short, long)]
    dataset = write_dataset(
        tmp_path / "books", [found], split="validation", tokenizer=identity_of(tokenizer)
    )
    score = evaluation(pieces, tokens=8 * CONTEXT).score(Uniform(), {"books": dataset})["books"]
    assert score.tokens == pytest.approx(8 * CONTEXT, abs=2)
    middle = (pieces.sizes[short] + pieces.sizes[long]) / 2
    assert score.bytes / score.tokens == pytest.approx(middle, rel=0.1)


def test_no_whole_window_is_said(tokenizer: Path, tmp_path: Path) -> None:
    dataset = write_dataset(
        tmp_path / "books", [[[BOS, 5, EOS]]], split="validation", tokenizer=identity_of(tokenizer)
    )
    with pytest.raises(TrainerError, match="no source has one window of 32 tokens"):
        evaluation(piece_bytes(str(tokenizer))).score(Uniform(), {"books": dataset})
