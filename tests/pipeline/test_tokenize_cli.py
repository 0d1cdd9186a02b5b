"""`roving tokenize`: what is encoded, what is not, and why; the same bytes however it is run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sentencepiece
from tokens_data import TEXTS, contents, tokenize, write_documents

from pipeline.cli.main import main
from pipeline.deduplication.step import find_documents
from pipeline.errors import RunFailed
from pipeline.recipe import RECIPES, load_recipe
from pipeline.tokens.encode import TokenPass
from tokenizer.folder import tokenizer_identity
from tokenizer.shards.reader import TokenDataset
from tokenizer.shards.verify import verify_tokens

ALL_TRAIN = ("--set", "tokens.validation_share=0.0")


def read(folder: Path, split: str = "train") -> dict[str, list[int]]:
    """Tokens by document id."""
    dataset = TokenDataset.open(str(folder), split)
    found = {}
    for number, info in enumerate(dataset.shards):
        shard = dataset.shard(number)
        for row in range(info.documents):
            ids = shard.tokens[shard.document_starts[row] : shard.document_starts[row + 1]]
            found[dataset.document(number, row).id] = ids.tolist()
    return found


def test_every_document_is_encoded_between_bos_and_eos(
    tmp_path: Path, small_tokenizer: Path
) -> None:
    documents = write_documents(tmp_path / "books", {"a": TEXTS[:3], "b": TEXTS[3:]})
    assert tokenize(small_tokenizer, tmp_path / "out", documents, options=ALL_TRAIN) == 0
    processor = sentencepiece.SentencePieceProcessor(model_file=str(small_tokenizer))
    names = ["a-0", "a-1", "a-2", "b-0", "b-1"]
    found = read(tmp_path / "out" / "books")
    assert list(found) == names
    for name, text in zip(names, TEXTS, strict=True):
        assert found[name] == [1, *processor.encode(text), 2]
    dataset = TokenDataset.open(str(tmp_path / "out" / "books"))
    assert dataset.source == "books"
    assert dataset.text_bytes == sum(len(text.encode()) for text in TEXTS)
    record = dataset.document(0, 1)
    assert (record.url, record.licence, record.source) == (
        "https://example.org/a/1",
        "CC-BY-4.0",
        "test",
    )
    assert record.text_bytes == len(TEXTS[1].encode())
    assert verify_tokens(str(tmp_path / "out" / "books")).damage == ()


def test_documents_without_text_are_rejected_and_counted(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": ["one", "", "two"], "b": [""]})
    assert tokenize(small_tokenizer, tmp_path / "out", documents, options=ALL_TRAIN) == 0
    output = tmp_path / "out" / "set"
    assert list(read(output)) == ["a-0", "a-2"]
    rejected = pq.read_table(output / "rejected" / "part-a.parquet").to_pylist()
    assert [(row["id"], row["stage"], row["reason"]) for row in rejected] == [
        ("a-1", "encode", "empty")
    ]
    assert not list(output.glob("*/part-b.bin"))
    assert json.loads((output / "manifest.json").read_bytes())["made"]["funnel"]["stages"] == [
        {
            "name": "encode",
            "documents_in": 4,
            "documents_out": 2,
            "characters_in": 6,
            "characters_out": 6,
            "reasons": {"empty": 2},
        }
    ]
    capsys.readouterr()
    assert main(["shards", "stats", str(output)]) == 0
    assert "empty 2" in capsys.readouterr().out
    assert main(["shards", "head", str(output), "--rejected"]) == 0
    assert "b-0" in capsys.readouterr().out


def test_text_that_is_no_utf8_is_rejected(tmp_path: Path, small_tokenizer: Path) -> None:
    folder = tmp_path / "foreign"
    (folder / "documents").mkdir(parents=True)
    content = [b"fine", b"\xff\xfe broken", None]
    text = pa.array(content, pa.binary()).view(pa.string())
    table = pa.table({"id": ["x", "y", "z"], "text": text})
    pq.write_table(table, folder / "documents" / "part-0.parquet")
    assert tokenize(small_tokenizer, tmp_path / "out", folder, options=ALL_TRAIN) == 0
    output = tmp_path / "out" / "foreign"
    rejected = pq.read_table(output / "rejected" / "part-0.parquet").to_pylist()
    assert {row["id"]: row["reason"] for row in rejected} == {"y": "invalid_utf8", "z": "empty"}
    assert list(read(output)) == ["x"]


def test_the_validation_split_is_drawn_by_id(tmp_path: Path, small_tokenizer: Path) -> None:
    texts = [f"text number {number}" for number in range(400)]
    one = write_documents(tmp_path / "one", {"a": texts})
    # The same ids in another order, in two units, with other texts and under another label.
    two = tmp_path / "two"
    write_documents(two, {"a": texts[::-1][:200]})
    share = ("--set", "tokens.validation_share=0.1")
    assert tokenize(small_tokenizer, tmp_path / "out", one, two, options=share) == 0
    held_out = set(read(tmp_path / "out" / "one", "validation"))
    training = set(read(tmp_path / "out" / "one"))
    assert not held_out & training
    assert len(held_out | training) == 400
    assert 20 <= len(held_out) <= 65
    among = {f"a-{number}" for number in range(200)}
    assert set(read(tmp_path / "out" / "two", "validation")) == held_out & among


def test_workers_and_batches_change_no_byte(tmp_path: Path, small_tokenizer: Path) -> None:
    units = {f"u{number}": [*TEXTS, f"number {number}", ""] * 20 for number in range(4)}
    documents = write_documents(tmp_path / "set", units)
    ways = {
        "one": (),
        "workers": ("--workers", "2"),
        "small": ("--set", "tokens.batch_bytes=100", "--set", "tokens.cache_bytes=1"),
        "threads": ("--set", "tokens.threads=2"),
    }
    made = {}
    for name, options in ways.items():
        output = tmp_path / name
        share = ("--set", "tokens.validation_share=0.3")
        assert tokenize(small_tokenizer, output, documents, options=(*share, *options)) == 0
        made[name] = contents(output)
    assert made["one"] == made["workers"] == made["small"] == made["threads"]


def test_another_share_makes_the_dataset_again(tmp_path: Path, small_tokenizer: Path) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    for share in ("1.0", "0.0"):
        options = ("--set", f"tokens.validation_share={share}")
        assert tokenize(small_tokenizer, tmp_path / "out", documents, options=options) == 0
    assert not list((tmp_path / "out" / "set" / "validation").glob("*"))
    assert verify_tokens(str(tmp_path / "out" / "set")).damage == ()
    assert TokenDataset.open(str(tmp_path / "out" / "set")).documents == len(TEXTS)


def test_a_second_run_does_nothing(tmp_path: Path, small_tokenizer: Path) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.bin")}
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_document_longer_than_a_batch(tmp_path: Path, small_tokenizer: Path) -> None:
    text = "many words and 123 numbers, " * 20_000
    documents = write_documents(tmp_path / "set", {"a": ["one", text, "two"]})
    options = (*ALL_TRAIN, "--set", "tokens.batch_bytes=1000")
    assert tokenize(small_tokenizer, tmp_path / "out", documents, options=options) == 0
    found = read(tmp_path / "out" / "set")
    processor = sentencepiece.SentencePieceProcessor(model_file=str(small_tokenizer))
    assert np.array_equal(found["a-1"][1:-1], processor.encode(text))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b"PAR1 no parquet"), "cannot be read as Parquet"),
        (
            lambda path: pq.write_table(pa.table({"id": ["a"], "words": ["b"]}), path),
            "has no column text",
        ),
        (
            lambda path: pq.write_table(pa.table({"id": [None, "a"], "text": ["b", "c"]}), path),
            "holds documents without id",
        ),
    ],
)
def test_input_that_is_no_documents_dataset(
    tmp_path: Path, small_tokenizer: Path, damage, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    damage(documents / "documents" / "part-a.parquet")
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 2
    assert message in capsys.readouterr().err


def test_a_missing_tokenizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    assert tokenize(tmp_path / "nothing", tmp_path / "out", documents) == 2
    assert "there is no tokenizer at" in capsys.readouterr().err


def test_a_tokenizer_that_is_not_its_cards(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(small_tokenizer.read_bytes())
    (folder / "card.json").write_text(json.dumps({"sha256": "ab" * 32}))
    assert tokenize(folder, tmp_path / "out", documents) == 2
    assert "is not the model that card.json beside it describes" in capsys.readouterr().err


def test_a_tokenizer_that_is_another_on_a_worker(tmp_path: Path, small_tokenizer: Path) -> None:
    tokenizer = tmp_path / "tokenizer.model"
    tokenizer.write_bytes(small_tokenizer.read_bytes())
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    settings = load_recipe(str(RECIPES / "llama1.toml")).tokens
    identity = tokenizer_identity(str(tokenizer))
    work = TokenPass("a", str(tmp_path / "out"), str(tokenizer), identity, settings)
    assert work.fingerprint  # asked for where the run is started
    tokenizer.write_bytes(small_tokenizer.read_bytes() + b"\n")
    (unit,) = find_documents(str(documents), "a", "").units
    with pytest.raises(RunFailed, match=f"the model {tokenizer} is another one here"):
        pickle.loads(pickle.dumps(work)).make(unit)
    assert not (tmp_path / "out").exists()


def test_a_label_that_is_no_name(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    assert tokenize(small_tokenizer, tmp_path / "out", Path(f"b\u00fccher={documents}")) == 2
    assert "'b\u00fccher' cannot be the label" in capsys.readouterr().err


def test_a_batch_larger_than_arrow_can_hold(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    options = ("--set", "tokens.batch_bytes=3000000000")
    assert tokenize(small_tokenizer, tmp_path / "out", documents, options=options) == 2
    assert "tokens.batch_bytes" in capsys.readouterr().err
