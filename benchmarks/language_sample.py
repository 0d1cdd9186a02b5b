"""How much of a document does language identification have to see?

    python benchmarks/language_sample.py --data DIR --lid lid.176.ftz

DIR has the layout of the real inputs: `commoncrawl/*.wet.gz`, `wikipedia/*.xml.bz2`, `books/*.txt`.
For every way to choose a part of a document, the table says for each kind of document how often
its label, and its decision (label, and whether the score reaches 0.5), equal those of the whole
document in percent, and how many times less CPU it takes. Mixed documents are two real ones, cut
and then joined or interleaved line by line: 1 to 20 kB, the smaller share 10 to 50 %.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from filters.document import Document
from filters.language import LanguageSettings, identify, load_language_model
from filters.models import predict
from filters.wikitext import clean_wikitext
from pipeline.readers.dump_file import open_dump
from pipeline.readers.mediawiki import read_mediawiki, wiki_name
from pipeline.readers.wet import read_wet

MINIMUM_CHARACTERS = 300
MINIMUM_SCORE = 0.5
KINDS = ("wet", "wikipedia", "book", "passage", "mixed")

Answer = tuple[str, float]


def read_wets(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.wet.gz")):
        with path.open("rb") as stream:
            for record in read_wet(stream, title_in_text=False, maximum_record_bytes=20_000_000):
                if isinstance(record, Document):
                    yield record.text


def read_wikipedia(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.xml.bz2")):
        with path.open("rb") as stream:
            dump = open_dump(stream, path.name)
            wiki = wiki_name(path.name) or ""
            for record in read_mediawiki(dump, wiki=wiki, maximum_page_bytes=20_000_000):
                if isinstance(record, Document) and not record.metadata["redirect"]:
                    page = clean_wikitext(record.text, language="", title="", dropped_sections=())
                    yield page.text


def read_books(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.txt")):
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
        yield text.replace("\r\n", "\n")


def passage(text: str, length: int, chance: random.Random) -> str:
    start = chance.randrange(max(1, len(text) - length))
    return text[start : start + length]


def mix(first: str, second: str, chance: random.Random) -> str:
    """Two texts in one document."""
    length, share = chance.choice([1000, 3000, 6000, 20_000]), chance.choice([0.1, 0.25, 0.4, 0.5])
    first = passage(first, int(length * share), chance)
    second = passage(second, int(length * (1 - share)), chance)
    if chance.random() < 0.5:
        return "\n".join(chance.sample([first, second], 2))
    lines = first.split("\n") + second.split("\n")
    chance.shuffle(lines)
    return "\n".join(lines)


def collect(data: Path, mixed: int, seed: int) -> list[tuple[str, str]]:
    """(kind, text) of every document that a length filter would let pass."""
    chance = random.Random(seed)
    books = list(read_books(data / "books"))
    documents = [("wet", text) for text in read_wets(data / "commoncrawl")]
    documents += [("wikipedia", text) for text in read_wikipedia(data / "wikipedia")]
    for book in books:
        lengths = chance.choices([1000, 3000, 8000, 20_000], k=6)
        documents += [("passage", passage(book, length, chance)) for length in lengths]
    pool = [text for _, text in documents if len(text) >= MINIMUM_CHARACTERS]
    documents += [("book", book) for book in books]
    for _ in range(mixed):
        one, other = chance.sample(pool, 2)
        documents.append(("mixed", mix(one, other, chance)))
    return [
        (kind, text)
        for kind, text in documents
        if len(text) >= MINIMUM_CHARACTERS and not text.isspace()
    ]


def settings(characters: int, certain: float, doubtful: int) -> LanguageSettings:
    return LanguageSettings(
        enabled=True,
        keep=(),
        minimum_score=MINIMUM_SCORE,
        characters=characters,
        certain_score=certain,
        doubtful_characters=doubtful,
    )


def first(model: Any, characters: int, text: str) -> Answer:
    return predict(model, text[:characters].replace("\n", " "))[0]


def slices(model: Any, way: LanguageSettings, text: str) -> Answer:
    return identify(model, text, way)


def ways(model: Any) -> dict[str, Callable[[str], Answer]]:
    """What is compared, by name."""
    found: dict[str, Callable[[str], Answer]] = {}
    for count in (500, 1000, 2000, 5000):
        found[f"first {count}"] = partial(first, model, count)
    for count in (500, 1000, 2000):
        found[f"slices {count}"] = partial(slices, model, settings(count, 0.0, 0))
    for count in (500, 1000):
        for certain in (0.8, 0.85, 0.9, 0.95):
            for doubtful in (2000, 20_000, 0):
                name = f"slices {count}, < {certain}: {doubtful or 'all'}"
                found[name] = partial(slices, model, settings(count, certain, doubtful))
    return found


def decision(answer: Answer) -> str:
    label, score = answer
    return label if score >= MINIMUM_SCORE else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--lid", type=Path, required=True)
    parser.add_argument("--mixed", type=int, default=1500, help="mixed documents to make")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = load_language_model(arguments.lid)
    documents = collect(arguments.data, arguments.mixed, arguments.seed)

    def measure(way: Callable[[str], Answer]) -> tuple[list[Answer], dict[str, float]]:
        answers: list[Answer] = []
        seconds: dict[str, float] = defaultdict(float)
        for kind, text in documents:
            start = time.process_time()
            answers.append(way(text))
            seconds[kind] += time.process_time() - start
        return answers, seconds

    whole, base = measure(lambda text: identify(model, text, settings(0, 0.0, 0)))
    counts = {kind: sum(kind == other for other, _ in documents) for kind in KINDS}
    print(f"{'label % / decision % / times less CPU':28s}", end="")
    print("".join(f"{f'{kind} ({counts[kind]})':>22s}" for kind in KINDS))
    for name, way in ways(model).items():
        answers, seconds = measure(way)
        row = f"{name:28s}"
        for kind in KINDS:
            pairs = [
                (one, other)
                for (own, _), one, other in zip(documents, answers, whole, strict=True)
                if own == kind
            ]
            label = 100 * sum(one[0] == other[0] for one, other in pairs) / len(pairs)
            same = 100 * sum(decision(one) == decision(other) for one, other in pairs) / len(pairs)
            row += f"{f'{label:.2f} {same:.2f} {base[kind] / seconds[kind]:.1f}x':>22s}"
        print(row)


if __name__ == "__main__":
    main()
