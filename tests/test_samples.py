"""The embedded samples: built from their sources, valid in their formats, as their README says."""

from __future__ import annotations

import bz2
import gzip
import re
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastwarc.warc import ArchiveIterator

REPOSITORY = Path(__file__).resolve().parent.parent
EXPORT = "{http://www.mediawiki.org/xml/export-0.11/}"


def build(output: Path) -> Path:
    """Run the builder as a person would."""
    command = [sys.executable, str(REPOSITORY / "tools/make_samples.py"), "--output", str(output)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return output


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh build of the samples."""
    return build(tmp_path_factory.mktemp("samples"))


def built_files(folder: Path) -> dict[str, Path]:
    """Name relative to the folder -> path, of the files that the builder writes."""
    patterns = ("wikipedia/*.bz2", "commoncrawl/*.gz", "c4/**/*.gz")
    paths = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return {str(path.relative_to(folder)): path for path in paths}


def contents(path: Path) -> bytes:
    """The file's uncompressed bytes."""
    data = path.read_bytes()
    return bz2.decompress(data) if path.suffix == ".bz2" else gzip.decompress(data)


def test_committed_samples_are_what_their_sources_build(rebuilt: Path, samples: Path) -> None:
    committed, fresh = built_files(samples), built_files(rebuilt)
    assert list(committed) == list(fresh)
    assert len(committed) == 10
    for name, path in committed.items():
        assert contents(path) == contents(fresh[name]), f"{name}: run tools/make_samples.py"


@pytest.mark.skipif(
    "ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng compresses to other bytes than zlib"
)
def test_committed_samples_are_byte_identical_to_a_rebuild(rebuilt: Path, samples: Path) -> None:
    for name, path in built_files(samples).items():
        assert path.read_bytes() == (rebuilt / name).read_bytes(), name


def test_two_builds_are_byte_identical(rebuilt: Path, tmp_path: Path) -> None:
    second = built_files(build(tmp_path))
    for name, path in built_files(rebuilt).items():
        assert path.read_bytes() == second[name].read_bytes(), name


def test_samples_stay_small(samples: Path) -> None:
    total = sum(path.stat().st_size for path in samples.rglob("*") if path.is_file())
    assert total < 1_500_000


def readme_counts(samples: Path, heading: str) -> dict[str, tuple[int, ...]]:
    """First cell -> the numbers in the other cells, of the table below a heading of the README."""
    text = (samples / "README.md").read_text(encoding="utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    counts = {}
    for row in re.findall(r"^\| `([^`]+)` \|(.*)\|$", section, re.MULTILINE):
        counts[row[0]] = tuple(int(cell) for cell in re.findall(r"\b\d+\b", row[1]))
    return counts


def test_dumps_hold_what_the_readme_says(samples: Path) -> None:
    found = {}
    for path in sorted((samples / "wikipedia").glob("*.xml.bz2")):
        root = ElementTree.fromstring(bz2.decompress(path.read_bytes()))
        pages = root.findall(f"{EXPORT}page")
        redirects = [page for page in pages if page.find(f"{EXPORT}redirect") is not None]
        other = [page for page in pages if page.findtext(f"{EXPORT}ns") != "0"]
        texts = "".join(page.findtext(f"{EXPORT}revision/{EXPORT}text") or "" for page in pages)
        articles = len(pages) - len(redirects) - len(other)
        counts = (len(pages), articles, len(redirects), len(other), texts.count("<ref"))
        found[path.name] = counts
    assert found == readme_counts(samples, "wikipedia/")


def test_index_of_the_multistream_dump_points_at_its_pages(samples: Path) -> None:
    stem = "wikipedia/dewiki-sample-pages-articles-multistream"
    data = (samples / f"{stem}.xml.bz2").read_bytes()
    index = bz2.decompress((samples / f"{stem}-index.txt.bz2").read_bytes()).decode()
    rows = [line.split(":", 2) for line in index.splitlines()]
    assert len({offset for offset, _, _ in rows}) > 1
    for offset, number, title in rows:
        stream = bz2.BZ2Decompressor().decompress(data[int(offset) :]).decode()
        assert f"<title>{title}</title>" in stream
        assert f"<id>{number}</id>" in stream


def test_crawl_files_hold_what_the_readme_says(samples: Path) -> None:
    found = {}
    for path in sorted((samples / "commoncrawl").glob("*.gz")):
        kinds: Counter[str] = Counter()
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, parse_http=False):
                assert record.verify_block_digest(), f"{path.name}: {record.record_id}"
                kinds[record.headers["WARC-Type"]] += 1
        found[path.name] = (
            sum(kinds.values()),
            kinds["response"],
            kinds["revisit"],
            kinds["resource"],
            kinds["conversion"],
        )
    assert found == readme_counts(samples, "commoncrawl/")


def test_each_record_is_a_gzip_member_of_its_own(samples: Path) -> None:
    for path in (samples / "commoncrawl").glob("*.gz"):
        rest = path.read_bytes()
        while rest:
            member = zlib.decompressobj(wbits=31)
            assert member.decompress(rest).startswith(b"WARC/1.0\r\n"), path.name
            rest = member.unused_data


def test_cited_pages_are_in_the_crawl_and_long_enough_to_train_on(samples: Path) -> None:
    bodies = {}
    for path in (samples / "source/commoncrawl").glob("*.pages"):
        for entry in path.read_text(encoding="utf-8").split("%% ")[1:]:
            head, _, body = entry.partition("\n\n")
            bodies[head.split("\n", 1)[0]] = body
    sources = [path.read_text(encoding="utf-8") for path in samples.glob("source/wikipedia/en-*")]
    cited = set(re.findall(r"\{cite:([a-z0-9-]+)", "".join(sources)))
    assert len(cited) == 47
    assert {name for name in cited if len(bodies[name]) < 1_000} == set()
