"""The 90 % rule on real books: decisions equal the rule on exactly counted containment."""

from __future__ import annotations

import csv
import random
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from dataset_files import rows
from documents_data import write_documents_dataset

from dedup.overlap import LEAST_SAMPLE, containment, least_shared, sampled
from dedup.shingles import distinct, shingle_texts
from filters.document import Document
from pipeline.cli.main import main

pytestmark = pytest.mark.real

START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^\n]*\n")
END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG")
CODECS = {"iso-8859-1/cp1252": "cp1252", "utf-8-bom": "utf-8-sig"}
WORD = re.compile(r"\w+")
SAMPLE, MARGIN, THRESHOLD = 64, 0.2, 0.9
Ids = set[str]


@pytest.fixture(scope="module")
def books(real_data: Path) -> dict[str, tuple[str, str]]:
    """Body (all of it where a marker is missing) and licence text by file name."""
    found = {}
    with (real_data / "books" / "index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            codec = CODECS.get(row["encoding_found"], row["encoding_found"])
            text = (real_data / "books" / row["file"]).read_bytes().decode(codec)
            start, end = START.search(text), END.search(text)
            body = text[start.end() if start else 0 : end.start() if end else None]
            found[row["file"]] = body, text[end.end() :] if end else ""
    return found


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def exact(texts: dict[str, str]) -> dict[frozenset[str], float]:
    """Containment of every pair, from strings of five words."""
    sets = {}
    for name, text in texts.items():
        words = words_of(text)
        sets[name] = {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}
    return {
        frozenset((one, other)): len(sets[one] & sets[other])
        / min(len(sets[one]), len(sets[other]))
        for one, other in combinations(texts, 2)
    }


def rule(texts: dict[str, str], overlap: dict[frozenset[str], float]) -> dict[str, str]:
    """Who goes for whom: in order of preference, against what stays."""
    gone: dict[str, str] = {}
    order = sorted(texts, key=lambda name: -len(texts[name]))  # stable: then the first
    for place, name in enumerate(order):
        stays = [other for other in order[:place] if other not in gone]
        over = [other for other in stays if overlap[frozenset((name, other))] > THRESHOLD]
        if over:
            gone[name] = over[0]
    return gone


def run(texts: dict[str, str], folder: Path) -> dict[str, str]:
    """The same from the command."""
    names, bounds = list(texts), [len(texts) * part // 3 for part in range(4)]
    units = {
        str(part): [
            Document(name, "b", texts[name]) for name in names[bounds[part] : bounds[part + 1]]
        ]
        for part in range(3)
    }
    write_documents_dataset(folder / "in", units)
    setting = "deduplication.overlap.sample=64"
    paths = ["--input", f"d={folder / 'in'}", "--output", str(folder / "out")]
    assert main(["dedup", "overlap", "--set", setting, *paths]) == 0
    gone = {}
    for row in rows(folder / "out" / "d", "rejected"):
        assert row["reason"] == "duplicate"
        unit, place = row["detail"].removeprefix("of ").split(",")[0].split(":")
        gone[row["id"]] = names[bounds[int(unit)] + int(place)]
    assert {row["id"] for row in rows(folder / "out" / "d")} == set(texts) - set(gone)
    return gone


def test_editions(books: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    """The six pairs of editions overlap, old headers or not, and no two works do."""
    texts = {name: body for name, (body, _) in books.items()}
    overlap = exact(texts)
    above = {tuple(sorted(pair)): value for pair, value in overlap.items() if value > THRESHOLD}
    assert above == {
        ("11-0.txt", "11.txt"): pytest.approx(1.0, abs=5e-4),
        ("11-0.txt", "11_alice30.txt"): pytest.approx(0.999, abs=5e-4),
        ("11.txt", "11_alice30.txt"): pytest.approx(0.999, abs=5e-4),
        ("8948.txt", "8948_7psss10.txt"): pytest.approx(1.0, abs=5e-4),
        ("9198-8.txt", "9198_8tcng10.txt"): pytest.approx(0.998, abs=5e-4),
        ("41-8.txt", "41_sleep10.txt"): pytest.approx(0.944, abs=5e-4),
        ("219-0.txt", "219_hdark10.txt"): pytest.approx(0.929, abs=5e-4),
    }
    assert max(value for value in overlap.values() if value <= THRESHOLD) < 0.1
    gone = run(texts, tmp_path)
    assert gone == rule(texts, overlap)
    assert gone == {
        "11.txt": "11_alice30.txt",
        "11-0.txt": "11_alice30.txt",
        "8948_7psss10.txt": "8948.txt",
        "9198_8tcng10.txt": "9198-8.txt",
        "41-8.txt": "41_sleep10.txt",
        "219-0.txt": "219_hdark10.txt",
    }


def noisy(text: str, every: int) -> str:
    """Every so manieth word misread: five shingles are lost for each."""
    parts = re.split(r"(\w+)", text)
    for place in range(1, len(parts), 2 * every):
        parts[place] = f"{parts[place]}{place}"
    return "".join(parts)


def make_texts(books: dict[str, tuple[str, str]], choice: random.Random) -> dict[str, str]:
    """Volumes, parts, misread books, a licence before short ones, anthologies of shared stories."""
    names = ["5200.txt", "1952-0.txt", "844.txt", "20249.txt", "17997-8.txt", "31963-0.txt"]
    texts = {name: books[name][0] for name in names}
    licence = books["11.txt"][1]
    texts["volume"] = "\n\n".join(texts[name] for name in names[:3])
    for name in names[2:]:
        words = WORD.findall(texts[name])
        texts[f"half {name}"] = " ".join(words[len(words) // 2 :])
        texts[f"tenth {name}"] = " ".join(words[1000 : 1000 + len(words) // 10])
        for every in (20, 45, 55, 100):
            texts[f"misread {every} {name}"] = noisy(texts[name], every)
    words = [word for name in names for word in WORD.findall(texts[name])]
    for number in range(24):  # more than deduplication.overlap.maximum_owners have the licence
        part = " ".join(words[number * 1500 :][: 200 + 50 * number])
        texts[f"licence {number}"] = f"{licence} {part}"
        if number % 4 == 0:
            texts[f"licence {number} again"] = noisy(f"{licence} {part}", 150)
    stories = [" ".join(words[place * 700 :][:600]) for place in range(40)]
    for volume in range(24):
        chosen = choice.sample(stories, 30)
        texts[f"anthology {volume}"] = "\n".join(chosen)
        if volume % 6 == 0:
            texts[f"anthology {volume} again"] = "\n".join([*chosen[1:], chosen[5]])
    return texts


def test_volumes_parts_noise_licence_and_anthologies(
    books: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    texts = make_texts(books, random.Random(1))
    overlap = exact(texts)
    wanted = rule(texts, overlap)
    assert run(texts, tmp_path) == wanted
    assert {"5200.txt", "1952-0.txt", "844.txt"} <= set(wanted)
    assert wanted["half 20249.txt"].endswith("20249.txt")
    assert not {name for name in wanted if name.startswith(("misread 20", "misread 45"))}
    # Most of these is the licence; only what has little text of its own, or is a copy, goes.
    licences = {name for name in wanted if name.startswith("licence")}
    assert 6 <= len(licences) <= 20
    assert {f"anthology {volume} again" for volume in (0, 6, 12, 18)} <= set(wanted)
    near = [value for value in overlap.values() if 0.85 < value <= THRESHOLD]
    assert len(near) > 20


def shingles_of(words: list[str]) -> np.ndarray:
    return distinct(shingle_texts([" ".join(words)], "word", 5).hashes)


def edition(words: list[str], choice: random.Random) -> list[str]:
    """The words with as many misread as 90 % of the shingles stand."""
    one, order = shingles_of(words), choice.sample(range(len(words)), len(words))

    def misread(count: int) -> list[str]:
        other = list(words)
        for place in order[:count]:
            other[place] += "misread"
        return other

    low, high = 0, len(words)
    while high - low > 1:
        middle = (low + high) // 2
        above = containment(one, shingles_of(misread(middle))) > THRESHOLD
        low, high = (middle, high) if above else (low, middle)
    return misread(low)


def is_candidate(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the samples make a pair worth an exact count."""
    samples = [sampled(shingles, SAMPLE, LEAST_SAMPLE) for shingles in (one, other)]
    shared = len(np.intersect1d(samples[0], samples[1]))
    sizes = np.array([[len(one), len(other)]])
    counts = np.array([[len(sample) for sample in samples]])
    return shared > 0 and bool(shared >= least_shared(sizes, counts, THRESHOLD, MARGIN)[0])


@pytest.mark.parametrize("size", [24, 40, 64, 80, 130, 250, 500, 1000, 4000, 20_000, 200_000])
def test_no_edition_is_lost_at_any_size(books: dict[str, tuple[str, str]], size: int) -> None:
    """An edition just above 90 % becomes a candidate, however few of its shingles are sampled."""
    choice = random.Random(size)
    words = [word for body, _ in books.values() for word in words_of(body)]
    for _ in range(min(100, max(3, 100_000 // size))):
        start = choice.randrange(len(words) - size)
        one = shingles_of(words[start : start + size])
        other = shingles_of(edition(words[start : start + size], choice))
        assert THRESHOLD < containment(one, other) <= THRESHOLD + 11 / size
        assert is_candidate(one, other)


def test_an_excerpt_is_found_in_a_book_as_often_as_the_sample_says(
    books: dict[str, tuple[str, str]],
) -> None:
    """Excerpts of 1,000 shingles and more always, of 96 in 1 - (1 - 1/64)**96 = 78 %."""
    choice = random.Random(3)
    book = words_of(books["1342-0.txt"][0])
    whole = shingles_of(book)
    found = {}
    for size in (100, 1004, 3000):
        starts = [choice.randrange(len(book) - size) for _ in range(200)]
        parts = [shingles_of(book[start : start + size]) for start in starts]
        found[size] = sum(is_candidate(part, whole) for part in parts)
    assert found[1004] == found[3000] == 200
    assert 0.68 < found[100] / 200 < 0.88


def test_phrases_in_common_are_no_candidates(books: dict[str, tuple[str, str]]) -> None:
    """Two works share a few five-word phrases: they are not worth an exact count."""
    one, other = (shingles_of(words_of(books[name][0])) for name in ("1342-0.txt", "16-0.txt"))
    shared = len(np.intersect1d(one, other))
    assert shared > 50
    sizes = np.array([[len(one), len(other)]])
    # Even if every one of the phrases were in the sample.
    assert shared < least_shared(sizes, sizes // SAMPLE, THRESHOLD, MARGIN)[0]
