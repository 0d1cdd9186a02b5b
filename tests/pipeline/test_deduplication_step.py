"""Deduplication of whole datasets: who stays, why the others go, and what is said of it."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from dataset_files import leftovers, paths
from dedup_data import Result, deduplicate, document, words, write_dataset, write_foreign

WOOL = "Wool is a textile fibre obtained from sheep."
FLAX = "Flax is grown for its fibre, which is called linen."
SILK = "Silk is a natural protein fibre of some insects."
COTTON = "Cotton is a soft fibre that grows in a boll."

CRAWL_FIRST = [document("c0", SILK), document("c1", WOOL), document("c2", "")]
CRAWL_UNIT = [document("c3", WOOL + "!"), document("c4", COTTON), document("c5", SILK)]


def inputs_in(folder: Path) -> dict[str, Path]:
    return {"wikipedia": folder / "in" / "a", "crawl": folder / "in" / "b"}


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wikipedia before a crawl, their units of the same names, without exact duplicates."""
    folder = tmp_path_factory.mktemp("exact")
    inputs = inputs_in(folder)
    wikipedia = {
        "u0": [document("w0", WOOL), document("w1", FLAX), document("w2", "")],
        "u1": [document("w3", f"  {FLAX.upper()}\n"), document("w4", "…")],
    }
    write_dataset(inputs["wikipedia"], wikipedia)
    write_dataset(inputs["crawl"], {"u0": CRAWL_FIRST, "u1": CRAWL_UNIT})
    deduplicate("exact", inputs, folder / "out")
    return folder


def test_exact_over_two_datasets(exact: Path) -> None:
    result = Result(exact / "out")
    assert result.kept("wikipedia") == ["w0", "w1", "w2", "w4"]
    assert result.kept("crawl") == ["c0", "c4"]
    assert result.reasons("wikipedia") == {"w3": "duplicate"}
    assert result.reasons("crawl") == dict.fromkeys(("c1", "c2", "c3", "c5"), "duplicate")
    assert result.texts("wikipedia")["w1"] == FLAX
    assert result.rejected("crawl")["c1"]["detail"] == "of wikipedia.u0:0, one of 3"
    assert result.rejected("crawl")["c1"]["stage"] == "exact"
    result.assert_conserved("wikipedia", 5)
    result.assert_conserved("crawl", 6)


def test_clusters_name_unit_and_row_of_the_copy_that_stays(exact: Path) -> None:
    result = Result(exact / "out")
    wool, flax = ("wikipedia.u0:0", 3), ("wikipedia.u0:1", 2)
    silk, empty = ("crawl.u0:0", 2), ("wikipedia.u0:2", 2)
    in_wikipedia = {"w0": wool, "w1": flax, "w2": empty, "w3": flax}
    in_crawl = {"c0": silk, "c1": wool, "c2": empty, "c3": wool, "c5": silk}
    assert result.clusters("wikipedia", "exact") == in_wikipedia
    assert result.clusters("crawl", "exact") == in_crawl


def test_the_report_says_what_is_shared_and_repeated(exact: Path) -> None:
    report = Result(exact / "out").report
    assert report["method"] == "exact"
    assert report["sources"] == ["wikipedia", "crawl"]
    assert report["documents"] == [5, 6]
    assert (report["keys"], report["groups"], report["members"]) == (11, 4, 9)
    # Of Wikipedia, flax twice within, wool and the empty one in the crawl too.
    assert report["shared"] == [[2, 2], [3, 4]]
    assert report["most_repeated"] == [
        {"copies": 3, "where": "wikipedia.u0:0", "text": WOOL},
        {"copies": 2, "where": "wikipedia.u0:1", "text": FLAX},
        {"copies": 2, "where": "wikipedia.u0:2", "text": ""},
        {"copies": 2, "where": "crawl.u0:0", "text": SILK},
    ]


def test_a_second_run_does_nothing_but_report(
    tmp_path: Path, exact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(exact, tmp_path / "copy"))
    result = Result(folder / "out")
    before, times = result.contents(), result.times()
    deduplicate("exact", inputs_in(folder), result.folder)
    assert result.contents() == before
    after = result.times()
    again = {name for name in after | times if after.get(name) != times.get(name)}
    assert {"wikipedia/manifest.json", "crawl/manifest.json"} < again
    # The rest are tables of records and traces of the run: nothing is made of the documents.
    made = re.compile(r"manifest\.json$|(^|/)(tables|work/runs)/")
    assert [name for name in again if not made.search(name)] == []
    printed = capsys.readouterr().out
    assert "9 documents in 4 groups of duplicates" in printed
    assert f"3 documents: {WOOL!r} (first: wikipedia.u0:0)" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["wikipedia", "2", "2"] in lines
    assert ["crawl", "3", "4"] in lines


def unit_files(result: Result) -> dict[tuple[str, str, str], tuple[str, int]]:
    """Of each dataset and unit the documents, rejects and record: name, when it was written."""
    found = {}
    for label in ("wikipedia", "crawl"):
        folder = result.folder / label
        files = [(kind, one) for kind in ("documents", "rejected") for one in paths(folder, kind)]
        for kind, unit in files:
            path = paths(folder, kind)[unit]
            found[label, kind, unit] = (path.name, path.stat().st_mtime_ns)
        for path in folder.glob("work/exact/done/*.json"):
            found[label, "record", path.name.split(".")[0]] = path.name, path.stat().st_mtime_ns
    return found


def test_only_units_whose_decisions_changed_are_written_again(tmp_path: Path, exact: Path) -> None:
    folder = Path(shutil.copytree(exact, tmp_path / "copy"))
    result, inputs = Result(folder / "out"), inputs_in(folder)
    before = unit_files(result)
    # Flax has one copy more: its cluster is larger, in both units of Wikipedia.
    more = [*CRAWL_UNIT, document("c6", FLAX), document("c7", "new")]
    write_dataset(inputs["crawl"], {"u0": CRAWL_FIRST, "u1": more})
    deduplicate("exact", inputs, result.folder)
    after = unit_files(result)
    assert after.keys() == before.keys()
    assert {name for name, file in after.items() if before[name] != file} == {
        (label, kind, unit)
        for label, unit in (("wikipedia", "u0"), ("wikipedia", "u1"), ("crawl", "u1"))
        for kind in ("documents", "rejected", "record")
    }
    # What was superseded is gone.
    for label in inputs:
        assert leftovers(result.folder / label) == []
    assert result.clusters("wikipedia", "exact")["w1"] == ("wikipedia.u0:1", 3)
    assert result.reasons("crawl")["c6"] == "duplicate"
    assert "c7" in result.kept("crawl")


def test_another_order_of_priority_in_the_same_output(tmp_path: Path) -> None:
    """The numbers in the decision files stay as they were; who is meant by them does not."""
    inputs = {
        "a": write_dataset(tmp_path / "a", {"u": [document("a0", WOOL)]}),
        "b": write_dataset(tmp_path / "b", {"u": [document("b0", WOOL)]}),
    }
    result = deduplicate("exact", inputs, tmp_path / "out")
    assert (result.kept("a"), result.kept("b")) == (["a0"], [])
    deduplicate("exact", dict(reversed(inputs.items())), tmp_path / "out")
    assert (result.kept("a"), result.kept("b")) == ([], ["b0"])
    assert result.clusters("a", "exact") == {"a0": ("b.u:0", 2)}


def test_raw_texts_differ_in_case_and_white_space(tmp_path: Path) -> None:
    texts = [WOOL, WOOL.upper(), WOOL + " ", WOOL, "", "", "…"]
    documents = [document(f"d{n}", text) for n, text in enumerate(texts)]
    inputs = {"one": write_dataset(tmp_path / "in", {"u": documents})}
    result = deduplicate("exact", inputs, tmp_path / "out", normalize=False)
    assert result.kept("one") == ["d0", "d1", "d2", "d4", "d6"]
    # With one dataset, clusters do not repeat its label.
    wool, empty = ("u:0", 2), ("u:4", 2)
    assert result.clusters("one", "exact") == {"d0": wool, "d3": wool, "d4": empty, "d5": empty}


@pytest.mark.parametrize(
    ("keep", "score", "kept"),
    [
        ("longest", "", (["a3", "a4"], ["b2"])),
        ("best", "quality", (["a2", "a3"], ["b2"])),
    ],
)
def test_which_copy_stays(
    tmp_path: Path, keep: str, score: str, kept: tuple[list[str], list[str]]
) -> None:
    """The second dataset has the longest, newest and best of all, but comes second."""
    first = {
        "u0": [
            document("a0", "one two", 0.5, timestamp="2019-01-01T00:00:00Z"),
            document("a1", "One, two!", None, timestamp="2021-01-01T00:00:00Z"),
            document("a2", "three four", 0.5),
        ],
        "u1": [
            document("a3", "ONE -- TWO", 0.9, timestamp="2020-01-01T00:00:00Z"),
            document("a4", "three... four", 0.25, timestamp="never"),
        ],
    }
    second = [
        document("b0", "(one), (two), !!!", 1.0, timestamp="2024-01-01T00:00:00Z"),
        document("b1", "five", 1.0),
        document("b2", "Five?", 2.0),
    ]
    inputs = {
        "a": write_dataset(tmp_path / "a", first),
        "b": write_dataset(tmp_path / "b", {"u0": second}),
    }
    result = deduplicate("exact", inputs, tmp_path / "out", keep=keep, score=score)
    assert (result.kept("a"), result.kept("b")) == kept
    assert {size for _, size in result.clusters("a", "exact").values()} == {2, 4}


def test_url_keeps_the_newest_of_an_address(tmp_path: Path) -> None:
    documents = [
        document("d0", "old", url="http://www.wool.example/a/", timestamp="2019-05-01"),
        document("d1", "new", url="https://wool.example/a?utm_source=x", timestamp="2020-05-01"),
        document("d2", "other", url="https://wool.example/b", timestamp="2018-05-01"),
        document("d3", "no address"),
        document("d4", "no address"),
        document("d5", "empty address", url=""),
        document("d6", "nothing left of it", url="http://"),
    ]
    inputs = {"one": write_dataset(tmp_path / "in", {"u": documents[:1], "v": documents[1:]})}
    result = deduplicate("url", inputs, tmp_path / "out")
    assert result.kept("one") == ["d1", "d2", "d3", "d4", "d5", "d6"]
    assert result.clusters("one", "url") == {"d0": ("v:0", 2), "d1": ("v:0", 2)}
    result.assert_conserved("one", 7)


def test_minhash_keeps_the_longest_of_what_is_nearly_the_same(tmp_path: Path) -> None:
    base, other = words(1, 300), words(2, 300)
    near = [*base[:150], "changed", *base[151:]]
    first = [
        document("a0", " ".join(base)),
        document("a1", " ".join(base[:100] + other[:200])),
        document("a2", ""),
        document("a3", "…!"),
    ]
    second = [
        document("a4", "\n".join(near) + " longer than the first of them"),
        document("a5", ""),
        document("a6", "…!"),
        document("a7", "two words"),
        document("a8", "Two, words."),
    ]
    third = [document("b0", " ".join([*near, *words(3, 20)])), document("b1", " ".join(other))]
    inputs = {
        "a": write_dataset(tmp_path / "a", {"u0": first, "u1": second}),
        "b": write_dataset(tmp_path / "b", {"u0": third}),
    }
    result = deduplicate("minhash", inputs, tmp_path / "out")
    # Without a single word, a document is like no other.
    assert result.kept("a") == ["a1", "a2", "a3", "a4", "a5", "a6", "a8"]
    assert result.kept("b") == ["b1"]
    assert result.reasons("a") == {"a0": "duplicate", "a7": "duplicate"}
    large, pair = ("a.u1:0", 3), ("a.u1:4", 2)
    assert result.clusters("a", "minhash") == {"a0": large, "a4": large, "a7": pair, "a8": pair}
    assert result.clusters("b", "minhash") == {"b0": large}
    assert result.report["shared"] == [[4, 2], [1, 0]]
    found = [(group["copies"], group["where"]) for group in result.report["most_repeated"]]
    assert found == [(3, "a.u1:0"), (2, "a.u1:4")]
    result.assert_conserved("a", 9)
    result.assert_conserved("b", 2)


def test_overlap_drops_what_another_book_holds(tmp_path: Path) -> None:
    """An edition of two works; the works alone; half a work; a chain whose last one stays."""
    one, two, chain, rest = words(1, 400), words(2, 400), words(3, 600), words(4, 30)
    first = [
        document("one", " ".join(one)),
        document("middle", " ".join(chain[200:] + rest)),
        document("last", " ".join(chain[570:] + rest)),
    ]
    second = [
        document("volume", " ".join(one + two)),
        document("two", "\n".join(two).upper()),
        document("half", " ".join(two[:200] + words(5, 200))),
        document("empty", ""),
        document("longest", " ".join(words(6, 60) + chain)),
    ]
    inputs = {"books": write_dataset(tmp_path / "in", {"u0": first, "u1": second})}
    result = deduplicate("overlap", inputs, tmp_path / "out", sample=4)
    assert result.kept("books") == ["last", "volume", "half", "empty", "longest"]
    assert result.reasons("books") == dict.fromkeys(("one", "middle", "two"), "duplicate")
    volume, longest = ("u1:0", 3), ("u1:4", 2)
    # `last` overlapped only what went: it is a duplicate of nothing.
    assert result.clusters("books", "overlap") == {
        "one": volume,
        "volume": volume,
        "two": volume,
        "middle": longest,
        "longest": longest,
    }
    assert result.report["shared"] == [[5]]
    assert (result.report["groups"], result.report["members"]) == (2, 5)


def test_of_many_editions_of_a_book_one_stays(tmp_path: Path) -> None:
    """More of them than `maximum_owners`; the longest is neither the first nor the last."""
    base = words(1, 400)
    documents = [
        document(f"d{n}", " ".join(base + words(n, 3 if n != 33 else 9))) for n in range(20, 50)
    ]
    inputs = {"books": write_dataset(tmp_path / "in", {"u": documents})}
    result = deduplicate("overlap", inputs, tmp_path / "out", sample=1)
    assert result.kept("books") == ["d33"]
    assert set(result.clusters("books", "overlap").values()) == {("u:13", 30)}


LINES = {
    "u0": [
        document("d0", "Home page\n\nWool is spun.\nWool is spun.\n\nThe end."),
        document("d1", "HOME PAGE \nFlax is grown."),
        document("d2", "Home page"),
        document("d3", ""),
    ],
    "u1": [
        document("d4", "\n\nFlax is grown.\n  \nThe end.\n"),
        document("d5", "Silk.\n \nhome page\n\n\nCotton.\n"),
        document("d6", "once\nonce"),
        document("d7", " \n\n"),
    ],
}


def assert_lines(result: Result, texts: dict[str, str], reasons: dict[str, str]) -> None:
    assert result.texts("one") == texts
    assert result.reasons("one") == reasons
    for row in result.documents("one").values():
        assert row["lines"] == row["text"].count("\n") + 1
        assert row["characters"] == len(row["text"])
    result.assert_conserved("one", len(texts) + len(reasons))


def test_lines_of_which_the_first_copy_stays(tmp_path: Path) -> None:
    inputs = {"one": write_dataset(tmp_path / "in", LINES)}
    result = deduplicate("lines", inputs, tmp_path / "out")
    kept = {
        "d0": "Home page\n\nWool is spun.\n\nThe end.",
        "d1": "Flax is grown.",
        "d3": "",
        "d5": "Silk.\n \nCotton.",
        "d6": "once",
        "d7": " \n\n",
    }
    assert_lines(result, kept, {"d2": "all_duplicate", "d4": "all_duplicate"})
    assert result.rejected("one")["d4"]["detail"] == "all 2 lines occur elsewhere"
    # A line counts once for each document it is in.
    assert result.report["keys"] == 12
    assert result.report["most_repeated"] == [
        {"copies": 4, "where": "u0:0", "text": "Home page"},
        {"copies": 2, "where": "u0:5", "text": "The end."},
        {"copies": 2, "where": "u0:7", "text": "Flax is grown."},
    ]


def test_lines_of_which_every_copy_goes(tmp_path: Path) -> None:
    inputs = {"one": write_dataset(tmp_path / "in", LINES)}
    settings = {"policy": "remove_all", "minimum_characters": 14}
    result = deduplicate("lines", inputs, tmp_path / "out", **settings)
    kept = {"d3": "", "d5": "Silk.\n \nCotton.", "d7": " \n\n"}
    reasons = dict.fromkeys(("d1", "d2", "d4"), "all_duplicate")
    # Of equal lines of one document the first stays, if no other document has it.
    assert_lines(
        result,
        kept,
        {**reasons, "d0": "too_short_without_duplicates", "d6": "too_short_without_duplicates"},
    )
    assert result.rejected("one")["d6"]["detail"] == "4 < 14 characters"


def test_paragraphs_as_ccnet_compares_them(tmp_path: Path) -> None:
    """Digits, marks and case do not count; the documents of a second dataset lose their copies."""
    long = "This paragraph of the first document is about wool, and only about wool."
    first = [document("a0", f"Page 1 of 20\n{long}\n\nPage 7 of 99"), document("a1", "Wool.")]
    second = [document("b0", f"“page 3 of 11”\n{long.upper()}"), document("b1", f"{FLAX}\nWOOL.")]
    inputs = {
        "a": write_dataset(tmp_path / "a", {"u": first}),
        "b": write_dataset(tmp_path / "b", {"u": second}),
    }
    result = deduplicate("paragraphs", inputs, tmp_path / "out", minimum_characters=52)
    assert result.texts("a") == {"a0": f"Page 1 of 20\n{long}", "a1": "Wool."}
    assert result.texts("b") == {}
    wanted = {"b0": "all_duplicate", "b1": "too_short_without_duplicates"}
    assert result.reasons("b") == wanted
    assert result.report["shared"] == [[0, 3], [3, 0]]
    assert result.report["most_repeated"][0]["text"] == "Page 1 of 20"


@pytest.mark.parametrize(
    ("method", "name"), [("exact", "train"), ("exact", "summary"), ("overlap", "train")]
)
def test_a_foreign_file_with_nulls_and_typed_timestamps(
    tmp_path: Path, method: str, name: str
) -> None:
    table = pa.table(
        {
            "id": [1, 2, 3, 4],
            "text": pa.array(["one two", None, "One, two", None], pa.large_string()),
            "timestamp": pa.array(
                [datetime(2020, 1, 1), None, datetime(2021, 1, 1), None], pa.timestamp("ns")
            ),
        }
    )
    folder = write_foreign(tmp_path / "in", {f"documents/{name}.parquet": table})
    result = deduplicate(method, {"one": folder}, tmp_path / "out", "--foreign", keep="newest")
    assert result.kept("one") == ["3"]
    assert result.reasons("one") == {"1": "duplicate", "2": "no_text", "4": "no_text"}
    result.assert_conserved("one", 4)


@pytest.mark.parametrize("method", ["lines", "minhash"])
def test_a_dataset_without_a_document(tmp_path: Path, method: str) -> None:
    inputs = {"one": write_dataset(tmp_path / "in", {"u": []})}
    result = deduplicate(method, inputs, tmp_path / "out")
    result.assert_conserved("one", 0)
    assert result.report["most_repeated"] == []
