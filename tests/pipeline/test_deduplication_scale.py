"""Deduplication where much is equal: work in proportion, the same bytes for any number of workers.

MinHash is compared with the exact Jaccard similarity of all pairs.
"""

from __future__ import annotations

import random
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from dedup_data import Result, deduplicate, document, keep_work, words, write_dataset

from dedup.shingles import shingle_texts
from filters.document import Document
from pipeline.deduplication.decision_files import read_array

UNITS = ("u0", "u1", "u2", "u3")


def in_units(documents: list[Document]) -> dict[str, list[Document]]:
    """Documents dealt out in turn."""
    return {name: documents[number :: len(UNITS)] for number, name in enumerate(UNITS)}


def clusters_of(result: Result, method: str) -> list[set[str]]:
    """Ids of the documents of each cluster; checks the sizes."""
    found: dict[str, set[str]] = {}
    members = result.clusters("in", method)
    for name, (cluster, _) in members.items():
        found.setdefault(cluster, set()).add(name)
    assert all(len(found[cluster]) == size for cluster, size in members.values())
    return list(found.values())


@pytest.fixture(scope="module")
def identical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 identical documents."""
    documents = [document(f"d{n}", "one for all") for n in range(20_000)]
    return write_dataset(tmp_path_factory.mktemp("identical"), in_units(documents))


@pytest.mark.parametrize("method", ["exact", "lines"])
def test_20000_identical_documents(tmp_path: Path, identical: Path, method: str) -> None:
    result = deduplicate(method, {"in": identical}, tmp_path / "out")
    assert result.kept("in") == ["d0"]
    assert result.report["most_repeated"][0]["copies"] == 20_000
    decided = result.decisions(f"{method}.decisions").units
    assert decided.keys() == set(UNITS)
    rows = sum(len(decided[unit].read()) for unit in UNITS)
    assert rows == {"exact": 20_000, "lines": 19_999}[method]


def rows_in(folder: Path) -> int:
    return sum(len(read_array(str(path))) for path in folder.glob("*.npy"))


def test_a_giant_cluster_costs_its_share(tmp_path: Path) -> None:
    """3,000 variations of one page, and a paragraph that 300 other documents have in common."""
    template, shared = words(1, 200), " ".join(words(2, 15))
    draw = random.Random(3)
    documents = []
    for number in range(3000):
        varied = list(template)
        varied[draw.randrange(200)] = f"v{number}"
        documents.append(document(f"d{number}", " ".join(varied)))
    for number in range(300):
        own = " ".join(words(100 + number, 90))
        documents.append(document(f"e{number}", f"{own}\n{shared}"))
    inputs = {"in": write_dataset(tmp_path / "in", in_units(documents))}
    result = deduplicate("minhash", inputs, keep_work(tmp_path / "out"))
    assert clusters_of(result, "minhash") == [{f"d{number}" for number in range(3000)}]
    # Two candidates for each key at most, of which a document has one for each band.
    work = tmp_path / "out" / "work"
    bands = result.decisions("minhash.candidates").summary.keys // len(documents)
    assert 1 < bands <= 32
    edges = rows_in(work / "minhash.edges" / "edges")
    candidates = rows_in(work / "minhash.candidates" / "decisions")
    assert 2999 <= edges <= candidates <= 2 * 3000 * bands


def families(seed: int) -> list[Document]:
    """60 families of texts, edited so that similarities lie anywhere between 0 and 1."""
    draw = random.Random(seed)
    documents = []
    for family in range(60):
        base = words(1000 + family, draw.randint(60, 300))
        for member in range(draw.randint(2, 10)):
            share = draw.choice([0, 0.001, 0.003, 0.005, 0.01, 0.05, 0.08, 0.1])
            text = [f"x{draw.random()}" if draw.random() < share else word for word in base]
            cut = draw.choice([0, 0, 0, 0, draw.randrange(1, 60)])
            documents.append(document(f"d{family}.{member}", " ".join(text[cut:])))
    draw.shuffle(documents)
    return documents


def exact_similarity(documents: list[Document]) -> np.ndarray:
    """Jaccard similarity of all pairs of sets of five words: shape [documents, documents]."""
    shingles = shingle_texts([one.text for one in documents], "word", 5)
    sets = [set(shingles.unique(number).tolist()) for number in range(len(documents))]
    result = np.eye(len(sets))
    for (row, one), (column, other) in combinations(enumerate(sets), 2):
        common = len(one & other)
        if common:
            result[row, column] = common / (len(one) + len(other) - common)
    return np.maximum(result, result.T)


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Document]]:
    """Families of near-duplicates, deduplicated in one process."""
    folder, documents = tmp_path_factory.mktemp("near"), families(5)
    inputs = {"in": write_dataset(folder / "in", in_units(documents))}
    deduplicate("minhash", inputs, keep_work(folder / "out"))
    return folder, documents


def test_minhash_finds_what_is_alike_and_joins_nothing_else(
    near: tuple[Path, list[Document]],
) -> None:
    folder, documents = near
    ids = [one.id for one in documents]
    similar = exact_similarity(documents)
    cluster_of = {
        name: number
        for number, names in enumerate(clusters_of(Result(folder / "out"), "minhash"))
        for name in names
    }
    alike = [(ids[a], ids[b]) for a, b in np.argwhere(np.triu(similar >= 0.9, 1)).tolist()]
    assert len(alike) > 80
    for one, other in alike:
        assert cluster_of[one] == cluster_of[other]
    joined = [
        similar[ids.index(units_in(documents)[int(a)]), ids.index(units_in(documents)[int(b)])]
        for path in (folder / "out/work/minhash.edges/edges").glob("*.npy")
        for a, b in read_array(str(path))[["one", "other"]].tolist()
    ]
    assert len(joined) > 100
    # Pairs that the bands took for candidates, and the whole signatures did not.
    candidates = Result(folder / "out").decisions("minhash.candidates").units
    pairs = {(unit, *pair) for unit in UNITS for pair in candidates[unit].read().tolist()}
    assert len(pairs) > len(joined) + 20
    assert min(joined) >= 0.5
    # Nor is anything clustered that is like no other.
    assert all((similar[ids.index(name)] >= 0.5).sum() > 1 for name in cluster_of)


def units_in(documents: list[Document]) -> dict[int, str]:
    """Id of the document at each position."""
    return {
        unit << 32 | row: one.id
        for unit, dealt in enumerate(in_units(documents).values())
        for row, one in enumerate(dealt)
    }


def test_the_same_bytes_with_two_workers(tmp_path: Path, near: tuple[Path, list[Document]]) -> None:
    folder, _ = near
    output = keep_work(tmp_path / "out")
    result = deduplicate("minhash", {"in": folder / "in"}, output, "--workers", "2")
    assert result.contents() == Result(folder / "out").contents()
    assert len(result.contents("in/documents/*")) == len(UNITS)
    for step in ("minhash.keys.in/keys", "minhash.candidates", "minhash.edges", "in/work"):
        assert result.contents(f"*{step}/*"), step


def test_the_same_documents_with_clusters_found_in_rounds(
    tmp_path: Path, near: tuple[Path, list[Document]]
) -> None:
    folder, _ = near
    result = deduplicate("minhash", {"in": folder / "in"}, tmp_path / "out", maximum_edges=50)
    once = Result(folder / "out")
    for label in ("in/documents/*", "in/rejected/*"):
        assert result.contents(label) == once.contents(label)
    assert result.report == once.report
