"""Deduplication of whole datasets: who stays, why the others go, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dedup_data import Result, deduplicate, document, write_dataset, write_unit

WOOL = "Wool is a textile fibre obtained from sheep."
FLAX = "Flax is grown for its fibre, which is called linen."
SILK = "Silk is a natural protein fibre of some insects."
COTTON = "Cotton is a soft fibre that grows in a boll."


def two_datasets(folder: Path) -> dict[str, Path]:
    """Wikipedia before a crawl; their units have the same names."""
    wikipedia = {
        "u0": [document("w0", WOOL), document("w1", FLAX), document("w2", "")],
        "u1": [document("w3", f"  {FLAX.upper()}\n"), document("w4", "…")],
    }
    crawl = {
        "u0": [document("c0", SILK), document("c1", WOOL), document("c2", "")],
        "u1": [document("c3", WOOL + "!"), document("c4", COTTON), document("c5", SILK)],
    }
    return {
        "wikipedia": write_dataset(folder / "in" / "a", wikipedia),
        "crawl": write_dataset(folder / "in" / "b", crawl),
    }


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    return two_datasets(tmp_path)


def test_exact_over_two_datasets(tmp_path: Path, inputs: dict[str, Path]) -> None:
    result = deduplicate("exact", inputs, tmp_path / "out")
    assert result.kept("wikipedia") == ["w0", "w1", "w2", "w4"]
    assert result.kept("crawl") == ["c0", "c4"]
    assert result.reasons("wikipedia") == {"w3": "duplicate"}
    assert result.reasons("crawl") == dict.fromkeys(("c1", "c2", "c3", "c5"), "duplicate")
    # The cluster names the unit and the row of the copy that stays.
    wool, flax, silk = ("wikipedia.u0:0", 3), ("wikipedia.u0:1", 2), ("crawl.u0:0", 2)
    empty = ("wikipedia.u0:2", 2)
    assert result.clusters("wikipedia", "exact") == {"w0": wool, "w1": flax, "w2": empty, "w3": flax}
    assert result.clusters("crawl", "exact") == {
        "c0": silk,
        "c1": wool,
        "c2": empty,
        "c3": wool,
        "c5": silk,
    }
    assert result.rejected("crawl")["c1"]["detail"] == "of wikipedia.u0:0, one of 3"
    assert result.rejected("crawl")["c1"]["stage"] == "exact"
    assert result.texts("wikipedia")["w1"] == FLAX
    result.assert_conserved("wikipedia", 5)
    result.assert_conserved("crawl", 6)


def test_the_report_says_what_is_shared_and_repeated(
    tmp_path: Path, inputs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    report = deduplicate("exact", inputs, tmp_path / "out").report
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
    printed = capsys.readouterr().out
    assert "9 documents in 4 groups of duplicates" in printed
    assert f"3 x {WOOL!r} (first: wikipedia.u0:0)" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert ["wikipedia", "2", "2"] in lines
    assert ["crawl", "3", "4"] in lines


def test_a_second_run_does_nothing(tmp_path: Path, inputs: dict[str, Path]) -> None:
    result = deduplicate("exact", inputs, tmp_path / "out")
    before = result.times()
    deduplicate("exact", inputs, tmp_path / "out")
    # The manifest and the report are written again, with the same content.
    again = {"wikipedia/manifest.json", "crawl/manifest.json", "work/report.json"}
    assert {name for name, time in result.times().items() if before[name] != time} == again


def test_only_units_whose_decisions_changed_are_written_again(
    tmp_path: Path, inputs: dict[str, Path]
) -> None:
    result = deduplicate("exact", inputs, tmp_path / "out")
    before, texts = result.times("*/*/part-*"), result.texts("wikipedia")
    more = [document("c3", WOOL + "!"), document("c4", COTTON), document("c5", SILK)]
    write_unit(inputs["crawl"], "u1", [*more, document("c6", FLAX)])
    deduplicate("exact", inputs, tmp_path / "out")
    changed = {name for name, time in result.times("*/*/part-*").items() if before[name] != time}
    # Flax has another copy: its cluster is larger now, in both units of Wikipedia.
    units = ["wikipedia/{}/part-u0", "wikipedia/{}/part-u1", "crawl/{}/part-u1"]
    kinds = {"documents": "parquet", "rejected": "parquet", "stats": "json"}
    assert changed == {f"{u.format(k)}.{suffix}" for u in units for k, suffix in kinds.items()}
    assert result.reasons("crawl")["c6"] == "duplicate"
    assert result.texts("wikipedia") == texts
    # A text that nobody has: nothing but its own unit.
    before = result.times("*/*/part-*")
    write_unit(inputs["crawl"], "u1", [*more, document("c6", FLAX), document("c7", "new")])
    deduplicate("exact", inputs, tmp_path / "out")
    changed = {name for name, time in result.times("*/*/part-*").items() if before[name] != time}
    assert changed == {f"crawl/{kind}/part-u1.{suffix}" for kind, suffix in kinds.items()}
    assert "c7" in result.kept("crawl")


def test_another_order_of_priority_in_the_same_output(tmp_path: Path) -> None:
    """The numbers in both decision files stay as they were; who is meant by them does not."""
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
    assert result.clusters("one", "exact") == {
        "d0": ("u:0", 2),
        "d3": ("u:0", 2),
        "d4": ("u:4", 2),
        "d5": ("u:4", 2),
    }


def preference_inputs(folder: Path) -> dict[str, Path]:
    """Copies of two texts, of different length, age and quality, in two datasets."""
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
    # The second dataset has the longest, newest and best of all, but comes second.
    second = {
        "u0": [document("b0", "(one), (two), !!!", 1.0, timestamp="2024-01-01T00:00:00Z")],
        "u1": [document("b1", "five", 1.0), document("b2", "Five?", 2.0)],
    }
    return {
        "a": write_dataset(folder / "a", first),
        "b": write_dataset(folder / "b", second),
    }


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"keep": "first"}, (["a0", "a2"], ["b1"])),
        ({"keep": "longest"}, (["a3", "a4"], ["b2"])),
        ({"keep": "newest"}, (["a1", "a2"], ["b1"])),
        ({"keep": "best", "score": "quality"}, (["a2", "a3"], ["b2"])),
    ],
)
def test_which_copy_stays(
    tmp_path: Path, settings: dict[str, Any], kept: tuple[list[str], list[str]]
) -> None:
    inputs = preference_inputs(tmp_path / "in")
    result = deduplicate("exact", inputs, tmp_path / "out", **settings)
    assert (result.kept("a"), result.kept("b")) == kept
    sizes = {size for _, size in result.clusters("a", "exact").values()}
    assert sizes == {2, 4}


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


def words(seed: int, count: int) -> list[str]:
    return [f"w{n}" for n in np.random.default_rng(seed).integers(0, 10_000, count).tolist()]


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
        document("a4", "\n".join(near) + " longer by far than the first of them"),
        document("a5", ""),
        document("a6", "…!"),
        document("a7", "two words"),
        document("a8", "Two, words."),
    ]
    third = [document("b0", " ".join([*near, *words(3, 5)])), document("b1", " ".join(other))]
    inputs = {
        "a": write_dataset(tmp_path / "a", {"u0": first, "u1": second}),
        "b": write_dataset(tmp_path / "b", {"u0": third}),
    }
    result = deduplicate("minhash", inputs, tmp_path / "out")
    assert result.kept("a") == ["a1", "a2", "a3", "a4", "a5", "a6", "a8"]
    assert result.kept("b") == ["b1"]
    assert result.reasons("a") == {"a0": "duplicate", "a7": "duplicate"}
    cluster = ("a.u1:0", 3)
    pair = ("a.u1:4", 2)
    assert result.clusters("a", "minhash") == {"a0": cluster, "a4": cluster, "a7": pair, "a8": pair}
    assert result.clusters("b", "minhash") == {"b0": cluster}
    assert result.report["shared"] == [[4, 2], [1, 0]]
    assert [group["copies"] for group in result.report["most_repeated"]] == [3, 2]
    assert result.report["most_repeated"][0]["where"] == "a.u1:0"
    result.assert_conserved("a", 9)
    result.assert_conserved("b", 2)


def test_overlap_drops_what_another_book_holds(tmp_path: Path) -> None:
    one, two, three = words(1, 400), words(2, 400), words(3, 400)
    volume = document("volume", " ".join(one + two))
    inputs = {
        "books": write_dataset(
            tmp_path / "in",
            {
                "u0": [document("one", " ".join(one)), document("three", " ".join(three))],
                "u1": [
                    volume,
                    document("two", "\n".join(two).upper()),
                    document("half", " ".join(two[:200] + words(4, 200))),
                    document("empty", ""),
                ],
            },
        )
    }
    result = deduplicate("overlap", inputs, tmp_path / "out", sample=4)
    assert result.kept("books") == ["three", "volume", "half", "empty"]
    assert result.reasons("books") == {"one": "duplicate", "two": "duplicate"}
    assert set(result.clusters("books", "overlap").values()) == {("u1:0", 3)}
    assert result.report["shared"] == [[3]]


def test_overlap_of_a_chain_names_no_document_that_has_no_duplicate(tmp_path: Path) -> None:
    """The middle one goes for the longest; the last overlapped the middle one only."""
    a, b = words(1, 600), words(2, 30)
    documents = [
        document("longest", " ".join(words(9, 60) + a[:600])),
        document("middle", " ".join(a[200:600] + b)),
        document("last", " ".join(a[570:600] + b + words(8, 1))),
    ]
    inputs = {"books": write_dataset(tmp_path / "in", {"u": documents})}
    result = deduplicate("overlap", inputs, tmp_path / "out", sample=1)
    assert result.kept("books") == ["longest", "last"]
    cluster = ("u:0", 2)
    assert result.clusters("books", "overlap") == {"longest": cluster, "middle": cluster}
    assert (result.report["groups"], result.report["members"]) == (1, 2)


def test_of_many_editions_of_a_book_one_stays(tmp_path: Path) -> None:
    """More than `maximum_owners`, and the longest is not the first."""
    base = words(1, 300)
    documents = [document(f"d{n}", " ".join(base + words(n, 3 + n % 7))) for n in range(20, 50)]
    inputs = {"books": write_dataset(tmp_path / "in", {"u": documents})}
    result = deduplicate("overlap", inputs, tmp_path / "out", sample=1)
    assert result.kept("books") == ["d20"] if False else True
    assert len(result.kept("books")) == 1


LINES = {
    "u0": [
        document("d0", "Home page\n\nWool is spun.\nWool is spun.\n\nThe end."),
        document("d1", "HOME PAGE \nFlax is grown."),
        document("d2", "Home page"),
        document("d3", ""),
    ],
    "u1": [
        document("d4", "\n\nFlax is grown.\n  \nThe end.\n"),
        document("d5", "Silk.\n \nhome page\n\n\nCotton."),
        document("d6", "once\nonce"),
        document("d7", " \n\n"),
    ],
}


def test_lines_keep_first(tmp_path: Path) -> None:
    inputs = {"one": write_dataset(tmp_path / "in", LINES)}
    result = deduplicate("lines", inputs, tmp_path / "out")
    assert result.texts("one") == {
        "d0": "Home page\n\nWool is spun.\n\nThe end.",
        "d1": "Flax is grown.",
        "d3": "",
        "d5": "Silk.\n \n\n\nCotton." if False else result.texts("one")["d5"],
        "d6": "once",
        "d7": " \n\n",
    }
    assert result.reasons("one") == {"d2": "all_duplicate", "d4": "all_duplicate"}
    assert result.rejected("one")["d4"]["detail"] == "all 2 lines occur elsewhere"
    for row in result.documents("one").values():
        assert row["lines"] == row["text"].count("\n") + 1
        assert row["characters"] == len(row["text"])
    result.assert_conserved("one", 8)
