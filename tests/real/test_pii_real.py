"""The PII filter on real pages, books and code: what is found, and what must not be."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from filters.document import Document
from filters.pii import PiiFilter
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.recipe import load_recipe

pytestmark = pytest.mark.real

SETTINGS = load_recipe(DEFAULT_RECIPE).pii
PLACEHOLDER = re.compile("<(?:EMAIL|PHONE|IP|IBAN|CARD)>")


def count(texts: list[str], language: str) -> Counter[str]:
    """Placeholders by kind; checks on the way that a second run finds nothing."""
    stage = PiiFilter(SETTINGS)
    total: Counter[str] = Counter()
    for text in texts:
        document = Document("a", "test", text, {"language": language})
        assert stage(document) is document
        total.update({kind: document.signals[f"pii_{kind}"] for kind in SETTINGS.kinds})
        cleaned = document.text
        stage(document)
        assert document.text == cleaned
        if not PLACEHOLDER.search(cleaned):
            assert cleaned == text
    return total


def test_pages(real_data: Path) -> None:
    with gzip.open(real_data / "commoncrawl" / "web-2020-05-00000.warc.wet.gz", "rt") as stream:
        found = count(stream.read().split("WARC/1.0"), "de")
    assert found["email"] >= 30
    assert found["phone"] >= 25
    # Record headers (dates, UUIDs, digests) and articles hold no account and hardly an address.
    assert found["ip"] <= 3
    assert found["card"] == 0


def test_books(real_data: Path) -> None:
    """Project Gutenberg's own address, telephone and the attorney's; nothing in the prose."""
    texts = [
        path.read_bytes().decode("latin-1").replace("\r\n", "\n")
        for path in sorted((real_data / "books").glob("*.txt"))
    ]
    found = count(texts, "en")
    assert found["email"] == 73
    assert found["phone"] == 30
    assert found["ip"] == 1
    assert found["iban"] == found["card"] == 0


def test_source_code(real_data: Path) -> None:
    """1,771 files with decorators, versions, hexadecimal, tables and hashes."""
    table = pq.read_table(real_data / "github" / "contents-000000000000.parquet")
    texts = [text for text in table.column("content").to_pylist() if text]
    found = count(texts, "en")
    assert found["email"] == pytest.approx(270, abs=10)
    assert found["phone"] <= 11
    assert found["ip"] == 45
    assert found["iban"] == found["card"] == 0
