"""Which files of a folder are input, and which are left out with a reason."""

from __future__ import annotations

import bz2
from pathlib import Path

import pytest

from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.errors import InputError
from pipeline.recipe import load_recipe
from pipeline.sources.commoncrawl import source as commoncrawl
from pipeline.sources.wikipedia import source as wikipedia
from pipeline.store.inputs import Inputs

RECIPE = load_recipe(DEFAULT_RECIPE)


def touch(folder: Path, *names: str) -> Inputs:
    """A folder with such files, as input."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return Inputs((str(folder),))


def test_crawl_formats_follow_the_file_name_not_its_folder(tmp_path: Path) -> None:
    folder = touch(tmp_path, "my.wet.files/a.warc.gz", "b.WARC.WET.gz", "notes.txt", "c.wat.gz")
    units, refused = commoncrawl.find_units(folder, RECIPE.commoncrawl.input)
    formats = {unit.relative: commoncrawl.page_format(unit.relative) for unit in units}
    assert formats == {"my.wet.files/a.warc.gz": "warc", "b.WARC.WET.gz": "wet"}
    assert refused == [
        {"path": "c.wat.gz", "reason": "not_read"},
        {"path": "notes.txt", "reason": "not_read"},
    ]


@pytest.mark.parametrize("prefix", ["", "crawl-data/CC-MAIN-2020-05/segments/1/"])
def test_the_wet_of_a_warc_is_left_out_in_common_crawls_layout(tmp_path: Path, prefix: str) -> None:
    names = (f"{prefix}warc/x-00000.warc.gz", f"{prefix}wet/x-00000.warc.wet.gz")
    units, refused = commoncrawl.find_units(touch(tmp_path, *names), RECIPE.commoncrawl.input)
    assert [unit.relative for unit in units] == [names[0]]
    assert refused == [{"path": names[1], "reason": "same_pages_as_warc"}]


def test_snapshots_come_from_the_path(tmp_path: Path) -> None:
    names = ("CC-MAIN-2020-05/a.warc.gz", "web-2020-10-00000.warc.gz", "other.warc.gz")
    units, _ = commoncrawl.find_units(touch(tmp_path, *names), RECIPE.commoncrawl.input)
    assert {unit.relative: unit.group for unit in units} == {
        "CC-MAIN-2020-05/a.warc.gz": "CC-MAIN-2020-05",
        "web-2020-10-00000.warc.gz": "web-2020-10",
        "other.warc.gz": "",
    }


def test_dumps_are_told_from_what_stands_beside_them(tmp_path: Path) -> None:
    folder = touch(
        tmp_path,
        "enwiki-20220801-pages-articles1.xml-p1p41242.bz2",
        "dewiki-latest-pages-articles.xml.7z",
        "frwiki-20220801-pages-articles.xml.bz2.md5",
        "frwiki-20220801-pages-articles.xml.bz2",
        "frwiki-20220801-pages-articles-multistream.xml.bz2",
        "fiwiki-20220801-pages-articles.xml.bz2",
    )
    units, refused = wikipedia.find_units(folder, RECIPE.wikipedia)
    assert [unit.relative for unit in units] == [
        "dewiki-latest-pages-articles.xml.7z",
        "enwiki-20220801-pages-articles1.xml-p1p41242.bz2",
        "frwiki-20220801-pages-articles-multistream.xml.bz2",
    ]
    assert {item["path"]: item["reason"] for item in refused} == {
        "fiwiki-20220801-pages-articles.xml.bz2": "language_not_wanted",
        "frwiki-20220801-pages-articles.xml.bz2": "same_pages_as_multistream",
    }


@pytest.mark.parametrize(
    ("names", "read", "reasons"),
    [
        (  # a whole dump and its parts
            (
                "enwiki-20260501-pages-articles.xml.bz2",
                "enwiki-20260501-pages-articles1.xml-p1p100.bz2",
                "enwiki-20260501-pages-articles2.xml-p101p200.bz2",
            ),
            ("enwiki-20260501-pages-articles.xml.bz2",),
            {"same_pages_as_whole_dump"},
        ),
        (  # of the newest date a part is missing
            (
                "enwiki-20260401-pages-articles.xml.bz2",
                "enwiki-20260501-pages-articles1.xml-p1p100.bz2",
                "enwiki-20260501-pages-articles3.xml-p201p300.bz2",
            ),
            ("enwiki-20260401-pages-articles.xml.bz2",),
            {"parts_missing"},
        ),
        (  # the file export since 2025, and Zstandard
            (
                "enwiki-2026-05-01-p1p100.xml.zst",
                "enwiki-2026-05-01-p101p200.xml.zst",
                "enwiki-20260401-pages-articles.xml.bz2",
            ),
            ("enwiki-2026-05-01-p101p200.xml.zst", "enwiki-2026-05-01-p1p100.xml.zst"),
            {"older_dump"},
        ),
        (  # parts in both forms
            (
                "enwiki-20260501-pages-articles-multistream1.xml-p1p100.bz2",
                "enwiki-20260501-pages-articles1.xml-p1p100.bz2",
            ),
            ("enwiki-20260501-pages-articles-multistream1.xml-p1p100.bz2",),
            {"same_pages_as_multistream"},
        ),
        (  # rendered and not, of one date
            (
                "enwiki-20260501-pages-articles.xml.bz2",
                "enwiki-NS0-20260501-ENTERPRISE-HTML.json.tar.gz",
            ),
            ("enwiki-NS0-20260501-ENTERPRISE-HTML.json.tar.gz",),
            {"same_pages_in_other_kind"},
        ),
        (  # one part alone is what the user wants
            ("enwiki-20260501-pages-articles3.xml-p201p300.bz2",),
            ("enwiki-20260501-pages-articles3.xml-p201p300.bz2",),
            set(),
        ),
        (  # names without a date say nothing of each other
            ("enwiki-a-pages-articles.xml.bz2", "enwiki-b-pages-articles.xml.bz2"),
            ("enwiki-a-pages-articles.xml.bz2", "enwiki-b-pages-articles.xml.bz2"),
            set(),
        ),
    ],
)
def test_no_page_is_read_twice(
    tmp_path: Path, names: tuple[str, ...], read: tuple[str, ...], reasons: set[str]
) -> None:
    units, refused = wikipedia.find_units(touch(tmp_path, *names), RECIPE.wikipedia)
    assert tuple(unit.relative for unit in units) == read
    assert {item["path"] for item in refused} == set(names) - set(read)
    assert {item["reason"] for item in refused} == reasons


def test_dumps_of_which_none_is_whole_are_refused(tmp_path: Path) -> None:
    folder = touch(
        tmp_path,
        "enwiki-20260401-pages-articles2.xml-p101p200.bz2",
        "enwiki-20260501-pages-articles2.xml-p101p200.bz2",
    )
    with pytest.raises(InputError, match="2 dumps of enwiki, and parts are missing of each"):
        wikipedia.find_units(folder, RECIPE.wikipedia)


@pytest.mark.parametrize(
    ("old", "new", "number"),
    [
        (b"", b"", 20),
        (b"<ns>", b"<namespace>", 1),  # a schema before 0.6
        (b"<page>", b"<item>", 1),
    ],
)
def test_a_large_dump_is_cut_where_its_pages_stand_alone(
    tmp_path: Path, samples: Path, old: bytes, new: bytes, number: int
) -> None:
    (sample,) = (samples / "wikipedia").glob("dewiki-*.xml.bz2")
    dump = bz2.compress(bz2.decompress(sample.read_bytes()).replace(old, new))
    (tmp_path / "dewiki-pages-articles.xml.bz2").write_bytes(dump)
    settings = load_recipe(
        DEFAULT_RECIPE, [f"wikipedia.input.slice_bytes={len(dump) // 20}"]
    ).wikipedia
    (whole,), _ = wikipedia.find_units(Inputs((str(tmp_path),)), settings)
    assert wikipedia.may_be_cut(whole) == (number > 1)
    units = wikipedia.cut_unit(whole, settings.input) if number > 1 else [whole]
    assert len(units) == number
    assert sum(unit.size for unit in units) == len(dump)
    assert [unit.offset + unit.length for unit in units[:-1]] == [u.offset for u in units[1:]]


@pytest.mark.parametrize("data", [b"<mediawiki>" + b" " * 100, b"BZh91AY&SYnonsense" * 9])
def test_what_is_no_whole_bzip2_is_not_cut(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "dewiki-pages-articles.xml.bz2").write_bytes(data)
    (whole,), _ = wikipedia.find_units(Inputs((str(tmp_path),)), RECIPE.wikipedia)
    assert not wikipedia.may_be_cut(whole)
