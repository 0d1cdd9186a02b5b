"""The arms of `make ablation`: raw documents are those that the pipeline gets, by the same ids."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_files import leftovers, rows

from filters.document import StageSettings
from pipeline.cli.main import main
from pipeline.recipe import load_recipe

sys.path.append(str(Path(__file__).resolve().parents[2] / "tools"))

from raw_documents import KINDS, write

REPOSITORY = Path(__file__).resolve().parents[2]
WITHOUT_MODELS = (
    "commoncrawl.perplexity.enabled=false",
    "commoncrawl.reference_quality.enabled=false",
)
# They make text of something else.
NEVER_OFF = {"arxiv.latex", "github.decode"}


def texts_by_id(folder: Path) -> dict[str, str]:
    """The documents of a dataset."""
    parts = sorted(folder.glob("documents/*.parquet"))
    table = pa.concat_tables(pq.read_table(part, columns=["id", "text"]) for part in parts)
    return dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))


def run_source(source: str, samples: Path, output: Path, recipe: str, *settings: str) -> Path:
    """Run a source of the samples."""
    options = [option for setting in settings for option in ("--set", setting)]
    paths = ["--input", str(samples / source), "--output", str(output)]
    recipe = str(REPOSITORY / "recipes" / recipe)
    assert main(["run", source, *paths, "--recipe", recipe, *options]) == 0
    return output


def raw_documents(kind: str, folder: Path, output: Path) -> Path:
    """Run the tool."""
    recipe = load_recipe(str(REPOSITORY / "recipes" / "raw.toml"))
    assert write(KINDS[kind](str(folder), recipe), output, recipe) > 0
    return output


def held_out(folder: Path) -> set[str]:
    """Ids of a token dataset's validation split."""
    parts = folder.glob("validation/*.docs.parquet")
    return {id for part in parts for id in pq.read_table(part)["id"].to_pylist()}


@pytest.mark.parametrize("source", ["books", "commoncrawl"])
def test_curated_documents_have_their_raw_ones_and_are_held_out_together(
    source: str, tmp_path: Path, samples: Path, lid_model: Path, small_tokenizer: Path
) -> None:
    raw = raw_documents(source, samples / source, tmp_path / "raw" / source)
    curated = tmp_path / "curated" / source
    run_source(source, samples, curated, "llama1.toml", *WITHOUT_MODELS)
    raw_texts, curated_texts = texts_by_id(raw), texts_by_id(curated)
    assert set(curated_texts) < set(raw_texts), "curation drops some and invents none"
    sizes = [sum(map(len, texts.values())) for texts in (curated_texts, raw_texts)]
    assert sizes[0] < sizes[1]
    found = {}
    for arm, folder in {"raw": raw, "curated": curated}.items():
        tokens = tmp_path / "tokens" / arm
        tokenize = ["tokenize", "--documents", str(folder), "--output", str(tokens)]
        share = ["--set", "tokens.validation_share=0.3"]
        assert main([*tokenize, "--tokenizer", str(small_tokenizer), *share]) == 0
        found[arm] = held_out(tokens / source)
    assert found["curated"] == found["raw"] & set(curated_texts)
    assert found["curated"]
    assert found["curated"] < set(curated_texts)


def test_raw_wikipedia_is_all_pages_with_their_markup(tmp_path: Path, samples: Path) -> None:
    texts = texts_by_id(run_source("wikipedia", samples, tmp_path / "raw", "raw.toml"))
    # 70 English pages, 17 German, 16 French; the Finnish dump is no input of either arm.
    assert len(texts) == 103
    assert sum("[[" in text for text in texts.values()) > 80
    assert any(text.startswith("#REDIRECT") for text in texts.values())


def test_raw_books_keep_their_frames_and_raw_pages_their_menus(
    tmp_path: Path, samples: Path
) -> None:
    books = texts_by_id(raw_documents("books", samples / "books", tmp_path / "books"))
    assert sum("*** START OF" in text or "***START" in text for text in books.values()) > 3
    pages = texts_by_id(raw_documents("commoncrawl", samples / "commoncrawl", tmp_path / "crawl"))
    assert not any("<body" in text or "<div" in text for text in pages.values())


def test_raw_papers_and_posts_are_as_their_authors_wrote_them(
    tmp_path: Path, samples: Path
) -> None:
    papers = texts_by_id(raw_documents("arxiv", samples / "arxiv", tmp_path / "arxiv"))
    assert "\\newcommand" in papers["2401.00001"]
    assert "\\begin{document}" in papers["2401.00002"]
    posts = raw_documents("stackexchange", samples / "stackexchange", tmp_path / "posts")
    assert all("<p>" in text for text in texts_by_id(posts).values())


def test_texts_to_judge_on(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    (folder / "b.jsonl").write_text('{"text": "three"}\n{"other": "x"}\n{"text": "four"}\n')
    (folder / "c.pdf").write_bytes(b"%PDF")
    for _ in range(2):  # made anew, nothing of the first is left
        output = raw_documents("texts", folder, tmp_path / "out")
        found = texts_by_id(output)
        assert found == {"a.txt": "one\ntwo", "b.jsonl#1": "three", "b.jsonl#3": "four"}
        rejected = [(row["id"], row["stage"], row["reason"]) for row in rows(output, "rejected")]
        assert rejected == [("b.jsonl#2", "read", "empty")]
        assert leftovers(output) == []
        assert main(["shards", "verify", str(output)]) == 0


def test_without_a_text_to_judge_on_it_fails(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    tool = [sys.executable, str(REPOSITORY / "tools" / "raw_documents.py"), "texts"]
    command = [*tool, str(folder), str(tmp_path / "out")]
    for name, said in {"c.pdf": "has no text in", "latin1.txt": "latin1.txt is not UTF-8"}.items():
        (folder / name).write_bytes(b"caf\xe9")
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def stages(settings: Any, name: str = "") -> dict[str, bool]:
    """Whether each stage of a recipe is on, by its section."""
    found = {name: settings.enabled} if isinstance(settings, StageSettings) else {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            found |= stages(value, f"{name}.{field.name}".strip("."))
    return found


def test_the_raw_recipe_leaves_no_stage_on_that_can_be_off() -> None:
    recipe = load_recipe(str(REPOSITORY / "recipes" / "raw.toml"))
    found = stages(recipe)
    assert len(found) > 20
    assert {name for name, is_on in found.items() if is_on} == NEVER_OFF
    named = ("wikipedia", "commoncrawl", "c4", "stackexchange", "github", "arxiv", "books")
    assert not any(getattr(recipe, source).deduplicate for source in named)
