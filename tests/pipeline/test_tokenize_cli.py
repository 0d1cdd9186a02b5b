"""`roving tokenize`: what is encoded, what is not, and why; the same bytes however it is run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sentencepiece
from dataset_files import paths
from tokens_data import TEXTS, contents, tokenize, write_documents

from pipeline.cli.main import main
from pipeline.errors import RunFailed
from pipeline.passes.frame import TakeOver
from pipeline.recipe import RECIPES, load_recipe
from pipeline.store.commit import Place
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


def rejects(folder: Path, unit: str) -> list[dict[str, Any]]:
    """Rows of the rejects of a unit."""
    (path,) = (folder / "rejected").glob(f"{unit}.*.parquet")
    return pq.read_table(path).to_pylist()


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
    rejected = rejects(output, "a")
    assert [(row["id"], row["stage"], row["reason"]) for row in rejected] == [
        ("a-1", "encode", "empty")
    ]
    assert not list(output.glob("*/b.*.bin"))
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
    assert main(["shards", "files", str(output), "--kind", "train"]) == 0
    listed = capsys.readouterr().out.split()
    assert sorted(listed) == sorted(map(str, (output / "train").iterdir()))
    assert len(listed) == 3


def test_text_that_is_no_utf8_is_rejected(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "foreign"
    (folder / "documents").mkdir(parents=True)
    content = [b"fine", b"\xff\xfe broken", None, b"of nobody"]
    text = pa.array(content, pa.binary()).view(pa.string())
    table = pa.table({"id": ["x", "y", "z", None], "text": text})
    pq.write_table(table, folder / "documents" / "part-0.parquet")
    assert tokenize(small_tokenizer, tmp_path / "out", folder, options=ALL_TRAIN) == 2
    assert "`tokenize` if --foreign is given" in capsys.readouterr().err
    options = ("--foreign", *ALL_TRAIN)
    assert tokenize(small_tokenizer, tmp_path / "out", folder, options=options) == 0
    output = tmp_path / "out" / "foreign"
    assert {row["id"]: row["reason"] for row in rejects(output, "part-0")} == {
        "y": "invalid_utf8",
        "z": "empty",
        "part-0.parquet#3": "no_id",
    }
    assert list(read(output)) == ["x"]


def test_foreign_files_whose_names_are_no_units_names(
    tmp_path: Path, small_tokenizer: Path
) -> None:
    folder = tmp_path / "foreign"
    names = ["data.v1", "data_v1", "data/v1", "data:v1"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"id": [name], "text": ["the same"]}), folder / f"{name}.parquet")
    options = ("--foreign", *ALL_TRAIN)
    assert tokenize(small_tokenizer, tmp_path / "out", folder, options=options) == 0
    output = tmp_path / "out" / "foreign"
    assert sorted(read(output)) == sorted(names)
    units = [shard.name for shard in TokenDataset.open(str(output)).shards]
    assert len(set(units)) == 4
    assert "data_v1" in units
    assert not any("." in unit for unit in units)


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


def shard_times(output: Path) -> dict[Path, int]:
    """When the files of the splits were written."""
    return {path: path.stat().st_mtime_ns for path in output.rglob("*.bin")}


def test_a_second_run_does_nothing(tmp_path: Path, small_tokenizer: Path) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    before = shard_times(tmp_path / "out")
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    assert shard_times(tmp_path / "out") == before


def test_units_whose_manifest_is_gone_are_taken_over(tmp_path: Path, small_tokenizer: Path) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS, "b": TEXTS[1:]})
    output = tmp_path / "out" / "set"
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    before, made = shard_times(output), contents(output)
    (output / "manifest.json").unlink()
    first = next((output / "work" / "tokens" / "done").glob("a.*.json"))
    first.unlink()  # what a run leaves that is killed between the files and their record
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    after = shard_times(output)
    assert {path for path in after if path not in before} == set((output / "train").glob("a.*.bin"))
    assert contents(output) == made


def test_the_leftovers_of_a_killed_run_are_cleaned_away(
    tmp_path: Path, small_tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    output = tmp_path / "out" / "set"
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 0
    made = contents(output)
    orphan = output / "train" / "a.0a1b2c3d4e5f60.bin"
    orphan.write_bytes(b"half a shard")
    capsys.readouterr()
    assert main(["clean", str(output), "--dry-run"]) == 0
    assert str(orphan) in capsys.readouterr().out
    assert main(["clean", str(output)]) == 0
    assert not orphan.exists()
    assert contents(output) == made
    assert verify_tokens(str(output)).damage == ()


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
        (lambda path: path.write_bytes(b"PAR1 no parquet"), "is no Parquet file, or is damaged"),
        (
            lambda path: pq.write_table(pa.table({"id": ["a"], "words": ["b"]}), path),
            "has no column text",
        ),
        (
            lambda path: pq.write_table(pa.table({"id": ["a-0"], "text": ["other"]}), path),
            "is not what the manifest names (another SHA-256)",
        ),
    ],
)
def test_input_that_is_no_documents_dataset(
    tmp_path: Path, small_tokenizer: Path, damage, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = write_documents(tmp_path / "set", {"a": TEXTS})
    damage(paths(documents)["a"])
    assert tokenize(small_tokenizer, tmp_path / "out", documents) == 2
    assert message in capsys.readouterr().err
    assert not list((tmp_path / "out" / "set").glob("*/a.*"))


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
    settings = load_recipe(str(RECIPES / "llama1.toml")).tokens
    identity = tokenizer_identity(str(tokenizer))
    place = Place(str(tmp_path / "out"), "tokens", is_last=True)
    work = TokenPass("a", place, str(tokenizer), identity, settings)
    assert work.fingerprint  # asked for where the run is started
    tokenizer.write_bytes(small_tokenizer.read_bytes() + b"\n")
    with pytest.raises(RunFailed, match=f"the model {tokenizer} is another one here"):
        pickle.loads(pickle.dumps(TakeOver(work))).setup()


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
