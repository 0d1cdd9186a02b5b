"""The reference classifier: which pages it learns from, and what it learns."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_data import Language, write_dataset

from dedup.url_keys import url_key
from filters.document import Document
from filters.reference_quality import ReferenceQualityFilter, ReferenceQualitySettings
from pipeline.models.cards import ModelError, TooLittleData, read_card, sha256_of
from pipeline.models.cited_pages import Page, Selection, cited_keys, is_member, select_pages
from pipeline.models.reference import (
    MODEL,
    POSITIVE,
    ReferenceModelSettings,
    quality_warning,
    single_line,
    train_reference_classifier,
)

SETTINGS = ReferenceModelSettings(
    minimum_positives=50,
    maximum_positives=1000,
    minimum_characters=200,
    held_out_share=0.2,
    threshold=0.5,
    dimension=8,
    learning_rate=0.5,
    epochs=10,
    word_ngrams=1,
    buckets=1000,
    minimum_count=1,
    tries=3,
)
ENCYCLOPAEDIA, SPAM = Language(seed=11), Language(seed=12)


def pages(language: Language, name: str, count: int = 100) -> list[Page]:
    return [Page(f"{name}{number}", text) for number, text in enumerate(language.texts(count))]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "reference"
    good, bad = pages(ENCYCLOPAEDIA, "good"), pages(SPAM, "bad")
    train_reference_classifier(good, bad, folder, SETTINGS, origin={"from": "a test"})
    return folder


def test_classifier_tells_the_two_apart(trained: Path) -> None:
    settings = ReferenceQualitySettings(enabled=True, threshold=0.5, positive_label=POSITIVE)
    quality = ReferenceQualityFilter(settings, trained / MODEL)
    quality.open()
    good = quality(Document("1", "test", ENCYCLOPAEDIA.text(seed=10**9)))
    bad = quality(Document("2", "test", SPAM.text(seed=10**9)))
    assert isinstance(good, Document)
    assert good.signals["reference_score"] > 0.9
    assert getattr(bad, "reason", None) == "below_threshold"


def test_card_tells_what_was_done(trained: Path) -> None:
    card = read_card(trained)
    assert sorted(path.name for path in trained.iterdir()) == ["card.json", MODEL]
    assert card["files"][MODEL]["sha256"] == sha256_of(trained / MODEL)
    assert card["settings"] == dataclasses.asdict(SETTINGS)
    assert card["labels"]["positive"] == POSITIVE
    assert card["learning_rate_used"] == 0.5
    assert card["warning"] is None
    assert card["origin"] == {"from": "a test"}
    counts, held_out = card["counts"], card["held_out"]
    for name in ("positives", "negatives"):
        assert counts[f"training_{name}"] + counts[f"held_out_{name}"] == 100
        assert 5 < counts[f"held_out_{name}"] < 40
    assert held_out["true_positives"] + held_out["false_negatives"] == counts["held_out_positives"]
    assert held_out["false_positives"] + held_out["true_negatives"] == counts["held_out_negatives"]
    assert held_out["precision"] == held_out["recall"] == held_out["f1"] == 1.0


def test_same_input_makes_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    good, bad = pages(ENCYCLOPAEDIA, "good"), pages(SPAM, "bad")
    train_reference_classifier(good, bad, folder, SETTINGS, origin={"from": "a test"})
    for name in (MODEL, "card.json"):
        assert (folder / name).read_bytes() == (trained / name).read_bytes()


def test_measure_is_honest_about_labels_that_say_nothing(tmp_path: Path) -> None:
    good, bad = pages(SPAM, "good", 300), pages(SPAM, "bad", 300)
    card = train_reference_classifier(good, bad, tmp_path / "reference", SETTINGS)
    assert 0.2 < card["held_out"]["f1"] < 0.8


def test_held_out_nothing_is_null(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, held_out_share=0.0)
    good, bad = pages(ENCYCLOPAEDIA, "good"), pages(SPAM, "bad")
    card = train_reference_classifier(good, bad, tmp_path / "reference", settings)
    assert card["held_out"]["precision"] is None
    assert card["held_out"]["recall"] is None
    assert card["held_out"]["f1"] is None
    assert card["warning"] == "nothing was held out: the model is not measured"


def test_a_model_that_has_learnt_nothing_carries_a_warning(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, learning_rate=1e-6, threshold=0.25)
    good, bad = pages(ENCYCLOPAEDIA, "good"), pages(SPAM, "bad")
    card = train_reference_classifier(good, bad, tmp_path / "reference", settings)
    assert card["warning"].startswith("at threshold 0.25 the model keeps every held-out page")


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (49, 100, "49 positives, at least 50 are needed; crawl or add more pages"),
        (100, 0, "0 negatives, at least 50 are needed; add crawled pages"),
    ],
)
def test_too_few_pages(tmp_path: Path, good: int, bad: int, message: str) -> None:
    with pytest.raises(TooLittleData, match=message):
        train_reference_classifier(
            pages(ENCYCLOPAEDIA, "good", good), pages(SPAM, "bad", bad), tmp_path / "m", SETTINGS
        )
    assert list(tmp_path.iterdir()) == []


def test_divergence_is_retried_with_half_the_learning_rate(tmp_path: Path) -> None:
    good, bad = pages(ENCYCLOPAEDIA, "good"), pages(SPAM, "bad")
    wild = dataclasses.replace(SETTINGS, learning_rate=1e8, tries=1)
    with pytest.raises(ModelError, match=r"diverged 1 times, last at learning rate 1e\+08"):
        train_reference_classifier(good, bad, tmp_path / "m", wild)
    tamed = dataclasses.replace(wild, tries=40)
    card = train_reference_classifier(good, bad, tmp_path / "m", tamed)
    halvings = np.log2(1e8 / card["learning_rate_used"])
    assert halvings >= 1
    assert halvings == int(halvings)


def test_words_that_fasttext_reserves_are_taken_out(tmp_path: Path) -> None:
    assert single_line("a __label__b\nc </s> d") == "a  b c   d"
    bad = [Page(page.key, f"__label__reference\n{page.text}") for page in pages(SPAM, "bad")]
    folder = tmp_path / "m"
    train_reference_classifier(pages(ENCYCLOPAEDIA, "good"), bad, folder, SETTINGS)
    assert len(fasttext.load_model(str(folder / MODEL)).get_labels()) == 2


@given(st.lists(st.integers(0, 20)), st.sets(st.integers(0, 20)))
def test_is_member(keys: list[int], members: set[int]) -> None:
    found = is_member(np.array(keys, np.uint64), np.array(sorted(members), np.uint64))
    assert found.tolist() == [key in members for key in keys]


def crawl_row(number: int, url: str | None, text: str, language: str = "en") -> dict[str, Any]:
    return {"id": str(number), "source": "c", "text": text, "url": url, "language": language}


def wikipedia_row(number: int, urls: list[str] | None) -> dict[str, Any]:
    return {"id": str(number), "source": "w", "text": "x", "language": "en", "cited_urls": urls}


def test_cited_keys_are_sorted_distinct_and_unwrapped(tmp_path: Path) -> None:
    cited = ["http://a.org/1", "https://www.a.org/1/"]
    wrapped = ["https://web.archive.org/web/20100102030405/http://b.org/x", "http://c.org"]
    rows = [wikipedia_row(1, cited), wikipedia_row(2, []), wikipedia_row(3, None)]
    data = write_dataset(tmp_path / "w", [rows, [wikipedia_row(4, wrapped)]])
    expected = sorted(url_key(url) for url in ("a.org/1", "b.org/x", "c.org"))
    assert cited_keys([data]).tolist() == expected
    assert cited_keys([write_dataset(tmp_path / "none", [[wikipedia_row(1, [])]])]).tolist() == []


def select(documents: list[str], cited: list[str], maximum: int = 1000) -> Selection:
    keys = np.array(sorted(url_key(url) for url in cited), np.uint64)
    return select_pages(
        documents, keys, minimum_characters=10, maximum_positives=maximum, languages=["en"]
    )


def test_selection_of_positives_and_negatives(tmp_path: Path) -> None:
    rows = [crawl_row(number, f"http://other.org/{number}", "no") for number in range(300)]
    rows += [crawl_row(1000, "https://www.cited.org/long/", "a long cited page")]
    rows += [crawl_row(1001, "http://cited.org/short", "short")]
    rows += [crawl_row(1002, None, "no address at all")]
    rows += [crawl_row(1003, "http://cited.org/german", "eine lange Seite", "de")]
    again = [crawl_row(2000, "http://cited.org/long", "crawled once more, later")]
    data = [write_dataset(tmp_path / "a", [rows]), write_dataset(tmp_path / "b", [again])]
    selection = select(data, [f"cited.org/{name}" for name in ("long", "short", "german")])
    assert [page.text for page in selection.positives()] == ["a long cited page"]
    assert [page.text for page in selection.negatives()] == ["no"]
    assert selection.counts == {
        "cited_urls": 3,
        "pages": 303,
        "cited_pages": 3,
        "drawn_of_each": 1,
    }


def test_draw_is_bounded_balanced_and_independent_of_order(tmp_path: Path) -> None:
    rows = [crawl_row(n, f"http://cited.org/{n}", f"a cited page, {n}") for n in range(150)]
    rows += [crawl_row(n, f"http://other.org/{n}", f"some other page, {n}") for n in range(400)]
    drawn = []
    for name, order in (("a", rows), ("b", random.Random(3).sample(rows, len(rows)))):
        selection = select(
            [write_dataset(tmp_path / name, [order[:275], order[275:]])],
            [f"cited.org/{n}" for n in range(150)],
            maximum=40,
        )
        positives, negatives = set(selection.positives()), set(selection.negatives())
        assert len(positives) == len(negatives) == 40
        assert all(page.text.startswith("a cited") for page in positives)
        assert all(page.text.startswith("some other") for page in negatives)
        drawn.append((positives, negatives))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("counts", "warning"),
    [
        ((40, 10, 10, 40), None),
        ((4, 5, 5, 0), "not better than guessing"),
        ((7, 6, 3, 4), "not better than guessing"),
        ((9, 0, 1, 0), "no other page was held out"),
        ((0, 2, 0, 8), "no cited page was held out"),
        ((0, 0, 0, 0), "nothing was held out"),
        ((0, 0, 9, 8), "drops every held-out page"),
    ],
)
def test_a_model_that_guesses_is_told(counts: tuple[int, ...], warning: str | None) -> None:
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    told = quality_warning(dict(zip(names, counts, strict=True)), 0.25)
    assert told is None if warning is None else warning in (told or "")
