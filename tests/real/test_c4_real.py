"""C4 made of real WET files, against a second and plain implementation of its rules."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from pathlib import Path

import langdetect_rs
import punkt
import pytest
from dataset_files import rows

from pipeline.cli.main import main
from pipeline.store.accounting import read_json

pytestmark = pytest.mark.real

POLICIES = """terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"""


def read_wet_pages(folder: Path) -> list[tuple[str, str, str]]:
    """(url, date, text) of every page, in order of file."""
    pages = []
    for path in sorted(folder.glob("*.wet.gz")):
        data = gzip.decompress(path.read_bytes())
        while data:
            head, _, rest = data.partition(b"\r\n\r\n")
            header = dict(
                line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line
            )
            length = int(header["Content-Length"])
            block, data = rest[:length].decode("utf-8", "replace"), rest[length:].lstrip(b"\r\n")
            if header["WARC-Type"] == "conversion":
                lines = re.split(r"\r\n|\r|\n", block)
                text = "\n".join(line.strip() for line in lines if line.strip())
                pages.append((header["WARC-Target-URI"].strip("<> "), header["WARC-Date"], text))
    return pages


def url_key(url: str) -> str:
    host, slash, path = re.sub(r"^https?://(www\.)?", "", url).partition("/")
    path = re.sub(r"\?(utm_|ref|feed).*", "", path.partition("#")[0])
    return (host.lower() + slash + path).rstrip("/")


def clean_page(text: str) -> list[str]:
    """The lines that a page keeps; none if the page is dropped."""
    kept = []
    sentences = 0
    for raw in text.splitlines():
        line = raw.strip()
        if any(len(word) > 1000 for word in line.split()):
            continue
        line = re.sub(r"\[\d*\]|\[edit\]|\[citation needed\]", "", line)
        if line[-1:] not in (".", "?", "!", '"') or line[-3:] == "...":
            continue
        if len(line.split()) < 5:
            continue
        lower = line.lower()
        if "lorem ipsum" in lower:
            return []
        if "javascript" in lower:
            continue
        if "{" in line:
            return []
        if re.search(POLICIES, lower):
            continue
        sentences += len(punkt.sent_tokenize(line))
        kept.append(line)
    return "\n".join(kept).strip().split("\n") if sentences >= 3 else []


def c4_of(pages: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    """url -> lines, of the pages that are kept, whatever their language."""
    newest: dict[str, tuple[str, str, str]] = {}
    for page in pages:
        if len(page[2]) <= 190_000:
            other = newest.setdefault(url_key(page[0]), page)
            if page[1] > other[1]:
                newest[url_key(page[0])] = page
    seen: set[bytes] = set()
    result = {}
    for url, _, text in pages:
        if newest.get(url_key(url), ("", "", ""))[::2] != (url, text):
            continue
        lines = []
        for line in clean_page(text):
            key = hashlib.md5(line.strip().lower().encode()).digest()
            if key not in seen:
                seen.add(key)
                lines.append(line)
        if len(punkt.sent_tokenize("\n".join(lines))) >= 3:
            result[url] = lines
    return result


def is_english(text: str) -> bool:
    langdetect_rs.DetectorFactory.seed = 0
    best = langdetect_rs.detect_langs(text)[0]
    return best.lang == "en" and best.prob >= 0.99


@pytest.fixture(scope="module")
def made(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("c4")
    (folder / "in").mkdir()
    for path in sorted((real_data / "commoncrawl").glob("*.wet.gz")):
        (folder / "in" / path.name).symlink_to(path)
    arguments = ["run", "c4", "--input", str(folder / "in"), "--output", str(folder / "out")]
    assert main([*arguments, "--keep-rejected-text"]) == 0
    return folder / "out"


def test_the_same_lines_of_the_same_pages(made: Path, real_data: Path) -> None:
    pages = read_wet_pages(real_data / "commoncrawl")
    expected = c4_of(pages)
    rejected = list(rows(made, "rejected"))
    foreign = {row["url"]: row["text"] for row in rejected if row["stage"] == "language"}
    kept = {row["url"]: row["text"] for row in rows(made)}
    assert {url: text.split("\n") for url, text in (kept | foreign).items()} == expected
    assert all(is_english(text) for text in kept.values())
    assert not any(is_english(text) for text in foreign.values())
    assert len(pages) == 410
    assert len(kept) > 90
    assert len(foreign) > 200


def test_every_page_is_accounted_for(made: Path) -> None:
    manifest = read_json(str(made / "manifest.json"))
    reasons: Counter[str] = Counter()
    for stage in manifest["funnel"]["stages"]:
        reasons.update({f"{stage['name']}/{k}": v for k, v in stage["reasons"].items()})
    assert manifest["documents"] + reasons.total() == 410
    assert not [reason for reason in reasons if "error:" in reason]
    assert {"url/duplicate", "end_marks/no_end_marks", "curly_bracket/curly_bracket"} <= set(
        reasons
    )


def test_published_texts_stay_as_they_are(real_data: Path, tmp_path: Path) -> None:
    arguments = ["run", "c4", "--input", str(real_data / "c4"), "--output", str(tmp_path / "out")]
    assert main(arguments) == 0
    texts = [row["text"] for row in rows(tmp_path / "out")]
    assert len(texts) == 10
    raw = (real_data / "c4" / "redpajama-c4-refined.jsonl").read_text(encoding="utf-8")
    assert texts[0][:60] in raw
