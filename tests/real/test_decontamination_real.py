"""Decontamination on real texts: equal to plain Python, right about editions, harmless cuts."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dedup.shingles import lower, shingle_texts
from filters.document import Document
from pipeline.decontamination.index import EvaluationIndex, build_evaluation_index
from pipeline.decontamination.settings import DecontaminationSettings, EvaluationSettings
from pipeline.decontamination.stage import Decontamination
from pipeline.passes.batch import Batch
from pipeline.passes.stages import Batching
from pipeline.readers.wet import read_wet
from pipeline.store.units import Unit

pytestmark = pytest.mark.real
SIZE, MINIMUM_WORDS = 13, 8
# Alice's Adventures in Wonderland in three editions; Heart of Darkness in one.
ALICE, ALICE_AGAIN, DARKNESS = "11_alice30.txt", ("11-0.txt", "11.txt"), "219-0.txt"


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", lower(text))


def read_book(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")


@pytest.fixture(scope="module")
def documents(real_data: Path) -> list[str]:
    """Web pages, questions and answers, parts of books."""
    texts = []
    for path in sorted((real_data / "commoncrawl").glob("*.wet.gz")):
        with path.open("rb") as stream:
            for record in read_wet(stream, title_in_text=False, maximum_record_bytes=10_000_000):
                if isinstance(record, Document):
                    texts.append(record.text)
    for path in sorted((real_data / "stackexchange").glob("*/Posts.xml")):
        for row in ElementTree.parse(path).iter("row"):
            texts.append(re.sub(r"<[^>]*>", "", row.get("Body", "")))
    for path in sorted((real_data / "books").glob("1*.txt")):
        book = path.read_bytes().decode("utf-8", "replace")
        texts += [book[start : start + 5000] for start in range(0, len(book), 5000)]
    return [text for text in texts if len(words_of(text)) >= 60]


def build(folder: Path, items: list[str]) -> EvaluationIndex:
    source = folder / "items.jsonl"
    source.write_text("".join(json.dumps({"text": item}) + "\n" for item in items))
    settings = EvaluationSettings(
        ngram_words=SIZE,
        minimum_words=MINIMUM_WORDS,
        maximum_items=100_000,
        maximum_item_bytes=1 << 20,
        fields={},
    )
    build_evaluation_index(str(source), folder / "index", settings)
    return EvaluationIndex(folder / "index")


@pytest.fixture(scope="module")
def items(documents: list[str]) -> list[str]:
    """40 words, or 9, from every other document."""
    found = []
    for number, text in enumerate(documents[1::2]):
        words = text.split()
        found.append(" ".join(words[10 : 19 if number % 5 == 0 else 50]))
    return found


@pytest.fixture(scope="module")
def index(
    items: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[EvaluationIndex, Path]:
    folder = tmp_path_factory.mktemp("evaluation")
    return build(folder, items), folder / "index"


def run(texts: list[str], folder: Path, action: str) -> Batch:
    settings = DecontaminationSettings(
        enabled=True,
        action=action,  # type: ignore[arg-type]
        minimum_matches=1,
        maximum_listed=20,
        maximum_spans=100,
        minimum_characters=0,
    )
    stage = Decontamination(settings, str(folder))
    stage.open()
    made = [Document(str(number), "real", text) for number, text in enumerate(texts)]
    batch = Batch(Unit("u", "u", "u", 1), 0, documents=made)
    stage.apply(batch, Batching(documents=10**6, characters=10**9, rejected_text_share=0))
    return batch


def test_every_ngram_is_found_and_no_other(
    documents: list[str], items: list[str], index: tuple[EvaluationIndex, Path]
) -> None:
    """Precision and recall are 1 against n-grams kept as tuples of words."""
    ngrams = set()
    for item in items:
        words = words_of(item)
        size = min(SIZE, len(words))
        if size >= MINIMUM_WORDS:
            ngrams |= {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}
    sizes = sorted({len(ngram) for ngram in ngrams})
    assert sizes[0] < SIZE
    planted = [
        f"{text}\n\n{items[number % len(items)].upper()}\n" if number % 3 == 0 else text
        for number, text in enumerate(documents[::2])
    ]
    found = index[0].ngrams.find(planted)
    for number, text in enumerate(planted):
        words = words_of(text)
        expected = {
            (start, size)
            for size in sizes
            for start in range(len(words) - size + 1)
            if tuple(words[start : start + size]) in ngrams
        }
        own = found.get(number)
        pairs = zip(own.starts.tolist(), own.lengths.tolist(), strict=True) if own else []
        assert set(pairs) == expected
        if number % 3 == 0 and len(words_of(items[number % len(items)])) >= MINIMUM_WORDS:
            assert own is not None
    assert len(planted) > 500
    # Pages crawled twice and books with one licence: real contamination, but not everywhere.
    assert len(found) < 0.6 * len(planted)


def test_editions_of_a_book_are_found_and_another_book_is_not(
    real_data: Path, tmp_path: Path
) -> None:
    books = real_data / "books"
    words = read_book(books / ALICE).split()
    index = build(tmp_path, [" ".join(words[i : i + 50]) for i in range(0, len(words), 50)])
    for name in (*ALICE_AGAIN, DARKNESS):
        text = read_book(books / name)
        middle = range(len(text) // 10, len(text) * 8 // 10, 2000)  # without header and licence
        parts = [text[start : start + 2000] for start in middle]
        share = len(index.ngrams.find(parts)) / len(parts)
        assert share == 0 if name == DARKNESS else share > 0.95


def test_a_cut_document_holds_the_rest_and_nothing_of_the_items(
    documents: list[str], items: list[str], index: tuple[EvaluationIndex, Path]
) -> None:
    planted = []
    for number, text in enumerate(documents[:600:2]):
        middle = text.find("\n", len(text) // 2)
        item = items[number % len(items)]
        planted.append(f"{text[:middle]}\n{item}\n{text[middle:]}" if middle > 0 else text)
    batch = run(planted, index[1], "cut")
    assert not batch.rejected
    changed = 0
    for document, text in zip(batch.documents, planted, strict=True):
        cut = document.signals.get("decontaminated_characters", 0)
        changed += cut > 0
        assert len(document.text) == len(text) - cut
        rest = iter(words_of(text))
        assert all(word in rest for word in words_of(document.text))
    assert changed > 200
    assert not run([document.text for document in batch.documents], index[1], "drop").rejected


def test_a_clean_document_costs_little_beside_its_shingles(
    documents: list[str], index: tuple[EvaluationIndex, Path]
) -> None:
    found = index[0].ngrams.find(documents)
    clean = [text for number, text in enumerate(documents) if number not in found]
    ratios = []
    for _ in range(3):
        started = time.process_time()
        shingle_texts(clean, "word", SIZE)
        between = time.process_time()
        index[0].ngrams.find(clean)
        ratios.append((time.process_time() - between) / (between - started))
    assert min(ratios) < 2  # about 1.1
