"""WARC and WET on real crawls: counts, damage, languages, and the quality of extraction."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections import Counter
from pathlib import Path

import pytest
import trafilatura

from filters.document import Document
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from filters.language import load_language_model
from filters.models import predict
from filters.prescreen import LanguagePrescreen
from pipeline.readers.records import BadRecord, Record
from pipeline.readers.warc import read_warc
from pipeline.readers.wet import read_wet
from pipeline.recipe import load_recipe

pytestmark = pytest.mark.real
LIMIT = 32 << 20
RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "llama1.toml"
SETTINGS = load_recipe(str(RECIPE)).commoncrawl


def read(data: bytes) -> list[Record]:
    return list(read_warc(io.BytesIO(data), maximum_record_bytes=LIMIT))


def count(records: list[Record]) -> Counter[str]:
    return Counter(getattr(record, "reason", "document") for record in records)


WARCS = {
    "CC-MAIN-2024-22-whirlwind.warc.gz": {
        "warcinfo": 1,
        "request": 1,
        "document": 1,
        "metadata": 1,
    },
    "CC-MAIN-2020-34-sample.warc.gz": {
        "warcinfo": 1,
        "request": 13,
        "document": 12,
        "metadata": 12,
    },
    "wget-2024-sample-0000.warc.gz": {
        "warcinfo": 1,
        "request": 22,
        "document": 22,
        "metadata": 1,
        "resource": 2,
    },
    "web-2020-05-00000.warc.gz": {"warcinfo": 1, "document": 139},
    "web-2020-10-00000.warc.gz": {"warcinfo": 1, "document": 165},
    "web-multilang-00000.warc.gz": {"warcinfo": 1, "document": 71},
    "quirks/clueweb09-quirk.warc.gz": {"warcinfo": 1, "document": 29},
    "quirks/webrecorder-revisit.warc": {
        "warcinfo": 2,
        "request": 15,
        "document": 4,
        "revisit": 5,
        "not_html": 5,
        "http_status": 1,
    },
}


@pytest.mark.parametrize("name", WARCS)
def test_every_record_is_accounted_for(real_data: Path, name: str) -> None:
    assert count(read((real_data / "commoncrawl" / name).read_bytes())) == WARCS[name]


def test_warc_0_18_with_malformed_dates(real_data: Path) -> None:
    path = real_data / "commoncrawl" / "quirks" / "clueweb09-quirk.warc.gz"
    documents = [item for item in read(path.read_bytes()) if isinstance(item, Document)]
    for document in documents:
        assert document.metadata["timestamp"] == ""
        assert document.metadata["declared_date"] == "2008-10-294T05:21:46-0700"
        assert document.metadata["http_charset"] == "euc-jp"
        assert document.raw.lstrip().startswith(b"<")


@pytest.mark.parametrize(
    "name", ["CC-MAIN-2020-34-sample.warc.gz", "quirks/webrecorder-revisit.warc"]
)
def test_damage_at_any_place_loses_nothing_before_it(real_data: Path, name: str) -> None:
    data = (real_data / "commoncrawl" / name).read_bytes()
    documents = [item for item in read(data) if isinstance(item, Document)]
    chance = random.Random(1)
    for _ in range(60):
        at = chance.randrange(len(data))
        kind = chance.choice(["cut", "flip", "zeros", "insert", "delete"])
        damaged = {
            "cut": data[:at],
            "flip": data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :],
            "zeros": data[:at] + bytes(500) + data[at + 500 :],
            "insert": data[:at] + chance.randbytes(100) + data[at:],
            "delete": data[:at] + data[at + 1000 :],
        }[kind]
        result = read(damaged)
        before = len([item for item in read(data[:at]) if isinstance(item, Document)])
        kept = [item.id for item in result if isinstance(item, Document)]
        assert kept[:before] == [document.id for document in documents[:before]], (at, kind)
        if kind != "cut":
            lost = {document.id for document in documents} - set(kept)
            bad = [item for item in result if isinstance(item, BadRecord)]
            assert len(lost) <= 2, (at, kind, bad)


@pytest.mark.parametrize("error", [-700, -1, 10, 100_000, 10**9])
def test_wrong_content_length_in_a_real_crawl(real_data: Path, error: int) -> None:
    path = real_data / "commoncrawl" / "CC-MAIN-2020-34-sample.warc.gz"
    plain = gzip.decompress(path.read_bytes())
    records = [b"WARC/1.0\r\n" + part for part in plain.split(b"WARC/1.0\r\n")[1:]]
    head, _, block = records[20].partition(b"\r\n\r\n")
    lines = [
        b"Content-Length: %d" % max(0, int(line[16:]) + error)
        if line.startswith(b"Content-Length: ")
        else line
        for line in head.split(b"\r\n")
    ]
    records[20] = b"\r\n".join(lines) + b"\r\n\r\n" + block
    for data in (b"".join(records), b"".join(map(gzip.compress, records))):
        counts = count(read(data))
        assert counts["wrong_content_length"] == 1
        assert counts["document"] == 11


@pytest.mark.parametrize(
    ("name", "documents"),
    [
        ("CC-MAIN-2024-22-whirlwind.warc.wet.gz", 1),
        ("CC-MAIN-2020-34-sample.naive.warc.wet.gz", 12),
        ("web-2020-05-00000.warc.wet.gz", 139),
    ],
)
def test_wet(real_data: Path, name: str, documents: int) -> None:
    with (real_data / "commoncrawl" / name).open("rb") as stream:
        records = list(read_wet(stream, title_in_text=False, maximum_record_bytes=20_000_000))
    assert count(records) == {"warcinfo": 1, "document": documents}


def test_wet_headers_by_name(real_data: Path) -> None:
    path = real_data / "commoncrawl" / "CC-MAIN-2024-22-whirlwind.warc.wet.gz"
    with path.open("rb") as stream:
        document = list(read_wet(stream, title_in_text=False, maximum_record_bytes=20_000_000))[1]
    assert isinstance(document, Document)
    assert document.metadata["title"] == "Escopete - Biquipedia, a enciclopedia libre"
    assert document.metadata["declared_languages"] == "spa"
    assert document.metadata["content_length"] == 4456
    assert document.text.startswith("Ir al contenido\nMenú principal\n")
    assert document.text.endswith("Activar o desactivar el límite de anchura del contenido")


@pytest.fixture(scope="module")
def pages(real_data: Path) -> list[Document]:
    """Decoded pages of the five crawls, each different page once."""
    decoder = HtmlDecoder(SETTINGS.decode)
    found = {}
    for path in sorted((real_data / "commoncrawl").glob("*.warc.gz")):
        for record in read(path.read_bytes()):
            if isinstance(record, Document):
                result = decoder(record)
                assert isinstance(result, Document), (record.metadata["url"], result)
                found[record.text] = record
    return list(found.values())


def test_encodings(pages: list[Document]) -> None:
    encodings = Counter(page.signals["encoding"] for page in pages)
    assert set(encodings) == {"utf-8", "cp1252", "cp1251", "gb18030", "iso8859-2"}
    assert encodings["gb18030"] == 5
    assert sum(page.text.count("\ufffd") for page in pages) < 10


@pytest.fixture(scope="module")
def english(pages: list[Document], lid_model: Path) -> tuple[set[str], set[str]]:
    """Ids of the pages whose extracted text is English, and of those the prescreen passes."""
    extractor = HtmlExtractor(SETTINGS.extract)
    prescreen = LanguagePrescreen(SETTINGS.prescreen, lid_model, ("en",))
    model = load_language_model(lid_model)
    extractor.open()
    prescreen.open()
    kept, passed = set(), set()
    for page in pages:
        copy = Document(id=page.id, source="test", text=page.text)
        if isinstance(prescreen(copy), Document):
            passed.add(page.id)
        if isinstance(extractor(copy), Document):
            label, score = predict(model, copy.text.replace("\n", " "))[0]
            if label == "en" and score >= 0.5:
                kept.add(page.id)
    return kept, passed


def test_prescreen_keeps_the_english_pages(english: tuple[set[str], set[str]]) -> None:
    kept, passed = english
    assert len(kept) >= 100
    # One is lost: a German page, of which extraction finds only a calendar in English.
    assert len(kept & passed) / len(kept) >= 0.99
    assert len(passed - kept) <= 0.1 * len(kept)


def test_extraction_is_no_worse_than_trafilatura(real_data: Path, pages: list[Document]) -> None:
    path = real_data / "commoncrawl" / "web-expected-snippets.json.gz"
    expected = json.loads(gzip.decompress(path.read_bytes()))
    extractor = HtmlExtractor(SETTINGS.extract)
    extractor.open()
    labelled = [page for page in pages if page.metadata["url"] in expected]
    scores = {"ours": Counter[str](), "trafilatura": Counter[str]()}
    # The others served for the weights (benchmarks/block_choice.py).
    for page in labelled[::2]:
        snippets = expected[page.metadata["url"]]
        document = Document(id=page.id, source="test", text=page.text)
        document.metadata["url"] = page.metadata["url"]
        ours = extractor(document)
        texts = {
            "ours": ours.text if isinstance(ours, Document) else "",
            "trafilatura": trafilatura.extract(page.text) or "",
        }
        for name, text in texts.items():
            found = sum(snippet in text for snippet in snippets["with"])
            scores[name]["true positive"] += found
            scores[name]["error"] += len(snippets["with"]) - found
            scores[name]["error"] += sum(snippet in text for snippet in snippets["without"])
    f1 = {
        name: 2 * score["true positive"] / (2 * score["true positive"] + score["error"])
        for name, score in scores.items()
    }
    assert f1["ours"] >= f1["trafilatura"]
    assert f1["ours"] >= 0.925
