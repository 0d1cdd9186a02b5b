"""Real Project Gutenberg files: no phrase of theirs is left, one edition of each work is."""

from __future__ import annotations

import re
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from dedup.shingles import shingle_texts
from filters.books import GutenbergFilter
from filters.books.frame import find_frame
from filters.document import Document, Filter, Rejected
from pipeline.cli.main import main
from pipeline.recipe import RECIPES, load_recipe
from pipeline.sources.books import source
from pipeline.store.accounting import Funnel, read_json

pytestmark = pytest.mark.real

COPYRIGHTED = {"16-0.txt", "5200.txt", "6527.txt"}
EDITIONS = [
    {"11.txt", "11-0.txt", "11_alice30.txt"},
    {"8948.txt", "8948_7psss10.txt"},
    {"9198-8.txt", "9198_8tcng10.txt"},
    {"41-8.txt", "41_sleep10.txt"},
    {"219-0.txt", "219_hdark10.txt"},
]
TRACES = re.compile(
    r"gutenberg|\be-?texts?\b|\bebooks?\b|pgdp|pglaf|proofread(?:ing|ers)|small print!"
    r"|public domain|transcriber's note|^produced by|^\*\*\*",
    re.IGNORECASE | re.MULTILINE,
)

LICENCE_REASONS = {
    "boilerplate_end_not_found",
    "copyrighted",
    "licence_text_left",
    "several_books",
}
# In a header, but of no licence: what the header says of the book, who made it and other news.
HARMLESS = re.compile(
    r"(?:Title|Author|Translator|Illustrator|Commentator|Contributor|Release Date|Posting Date):"
    r"|Produced|This etext was created|This choice was made|Email requests|\*+ If you have an FTP"
    r"|\(?Or /etext|1 +1971 +July"
)


def own_stages() -> list[Filter]:
    """Of the source alone."""
    recipe = load_recipe("llama1")
    return list(source.steps(source.SOURCE.section(recipe), recipe, ()))


@pytest.fixture(scope="module")
def books(real_data: Path) -> dict[str, Document | Rejected]:
    """What becomes of each file, in the stages of the recipe."""
    stages = own_stages()
    results: dict[str, Document | Rejected] = {}
    for path in sorted((real_data / "books").glob("*.txt")):
        result: Document | Rejected = Document(
            path.name, "books", metadata={"path": path.name}, raw=path.read_bytes()
        )
        for stage in stages:
            if isinstance(result, Document):
                result = stage(result)
        results[path.name] = result
    return results


@pytest.fixture(scope="module")
def kept(books: dict[str, Document | Rejected]) -> dict[str, Document]:
    return {name: book for name, book in books.items() if isinstance(book, Document)}


def test_only_the_copyrighted_are_dropped(books: dict[str, Document | Rejected]) -> None:
    reasons = {name: book.reason for name, book in books.items() if isinstance(book, Rejected)}
    assert reasons == dict.fromkeys(COPYRIGHTED, "copyrighted")
    assert len(books) == 33


def test_no_trace_of_the_distributor_is_left(kept: dict[str, Document]) -> None:
    traces = {
        (name, found[0].lower())
        for name, book in kept.items()
        for found in TRACES.finditer(book.text)
    }
    assert traces == set()


def test_lists_of_corrections_go_and_authors_errata_stay(kept: dict[str, Document]) -> None:
    assert kept["20535-0.txt"].text.endswith("From a Copy-Book in the Blue-Coat Hospital.")
    assert "punctuation missing" not in kept["31963-0.txt"].text
    assert "Au lecteur" not in kept["44157-0.txt"].text
    assert kept["44157-0.txt"].text.endswith("[Vignette: IK BLIJF WERKEN]")
    assert "\n\nERRATA.\n\nPag.   6  reg. 1  staat: everen" in kept["24675-8.txt"].text
    assert kept["15122-8.txt"].text.endswith("THE MINUTE BOYS OF YORKTOWN")


def licence_paragraphs(folder: Path) -> set[str]:
    """Every paragraph in front of and behind the real books, but fields, credits and trivia."""
    decode = own_stages()[1]
    found = set()
    for path in sorted(folder.glob("*.txt")):
        document = decode(Document("a", "books", raw=path.read_bytes()))
        assert isinstance(document, Document)
        frame = find_frame(document.text)
        assert frame is not None
        around = f"{document.text[: frame.start]}\n\n{document.text[frame.end :]}"
        found |= {part for part in re.split(r"\n\s*\n", around) if len(part) > 60}
    return {part for part in found if not HARMLESS.match(part.strip())}


def test_no_paragraph_of_a_real_licence_gets_through(
    kept: dict[str, Document], real_data: Path
) -> None:
    paragraphs = licence_paragraphs(real_data / "books")
    assert len(paragraphs) > 250
    stage = GutenbergFilter(load_recipe(str(RECIPES / "llama1.toml")).books.gutenberg)
    story = kept["8948.txt"].text.split("\n\n")[:80]
    start = "*** START OF THIS PROJECT GUTENBERG EBOOK POEMS ***\n\n"
    places = [("", 1), ("", len(story) - 9), (start, 0), (start, len(story) // 2)]
    for paragraph in sorted(paragraphs):
        for head, place in places:
            text = head + "\n\n".join([*story[:place], paragraph, *story[place:]])
            result = stage(Document("a", "books", text, {"path": "a.txt"}))
            if isinstance(result, Document):
                assert " ".join(paragraph.split()) not in " ".join(result.text.split())
            else:
                assert result.reason in LICENCE_REASONS


def test_what_the_headers_say(kept: dict[str, Document]) -> None:
    for name, book in kept.items():
        number = int(re.split(r"[-_.]", name)[0])
        assert book.metadata["book_number"] == number, name
        assert book.metadata["title"], name
        assert book.metadata["licence"] == "public domain (USA)", name
    languages = Counter(book.metadata.get("language") for book in kept.values())
    assert languages == {"en": 24, None: 3, "fr": 1, "nl": 1, "de": 1}
    assert len({book.id for book in kept.values()}) == len(kept)
    assert kept["41-8.txt"].metadata["author"] == "Washington Irving"
    assert kept["1952-0.txt"].metadata["title"] == "The Yellow Wallpaper"


def test_books_begin_and_end_where_they_do(kept: dict[str, Document]) -> None:
    for name in ("11.txt", "11-0.txt", "11_alice30.txt"):
        assert kept[name].text.lstrip().startswith("ALICE"), name
        assert kept[name].text.endswith("THE END"), name
    assert kept["41_sleep10.txt"].text.endswith("tranquil solitudes of Sleepy Hollow.")
    assert kept["8948_7psss10.txt"].text.startswith("POEMS ON SERIOUS AND SACRED SUBJECTS,")
    assert kept["17997-8.txt"].text.startswith("Hemenway Southwestern Archæological Expedition")
    assert kept["19942-8.txt"].text.endswith("[35] P. 149. François Leopold Ragotsky (1676-1735).")


def test_prose_is_joined_and_verse_is_not(kept: dict[str, Document]) -> None:
    assert "in possession of a good fortune, must be in want of a wife." in kept["1342-0.txt"].text
    verse = "Whatever might render it--selfish and hard:\nO keep it from evil propensities free,\n"
    assert verse in kept["8948.txt"].text
    assert "     'How doth the little crocodile\n      Improve his shining tail,\n" in (
        kept["11.txt"].text
    )


def test_one_edition_of_each_work_is_left(
    kept: dict[str, Document], real_data: Path, tmp_path: Path
) -> None:
    shingles = {
        name: np.unique(shingle_texts([book.text], "word", 5).hashes) for name, book in kept.items()
    }

    def containment(one: str, other: str) -> float:
        shared = np.intersect1d(shingles[one], shingles[other], assume_unique=True)
        return len(shared) / min(len(shingles[one]), len(shingles[other]))

    alike = {frozenset(pair) for pair in combinations(kept, 2) if containment(*pair) > 0.9}
    expected = {frozenset(pair) for group in EDITIONS for pair in combinations(group, 2)}
    assert alike == expected

    output = tmp_path / "out"
    assert main(["run", "books", "--input", str(real_data / "books"), "--output", str(output)]) == 0
    paths = pq.read_table(output / "documents")["path"].to_pylist()
    left = {Path(str(path)).name for path in paths}
    assert [len(left & group) for group in EDITIONS] == [1] * len(EDITIONS)
    assert len(left) == 24
    funnel = Funnel.from_json(read_json(str(output / "manifest.json"))["funnel"])
    funnel.check("manifest")
    assert (funnel.records, funnel.kept) == (33, 24)


def test_speed(real_data: Path) -> None:
    stages = own_stages()
    raw = (real_data / "books" / "1342-0.txt").read_bytes()
    started = time.process_time()
    result: Document | Rejected = Document("a", "books", metadata={"path": "1342-0.txt"}, raw=raw)
    for stage in stages:
        assert isinstance(result, Document)
        result = stage(result)
    # About 4 MB/s were measured; a fifth of it still shows that no step has become quadratic.
    assert len(raw) / (time.process_time() - started) > 0.8e6
