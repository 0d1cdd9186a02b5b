"""Decontamination against datatrove's NGramsDecontFilter and plain Python, on the same input.

    python benchmarks/decontamination.py --data DIR --peer-python PYTHON [--rounds 3]

DIR has the layout of the real inputs: `commoncrawl/*.wet.gz`, `wikipedia/*.xml.bz2`, `books/*.txt`
and `stackexchange/*/Posts.xml`. PYTHON runs an environment with `datatrove`, `spacy` and
`xxhash<4`. Passages of every other document are the evaluation items; they are planted into every
second one of the documents between, as they are and changed. n is 13 on every side. Prints how many
documents of each kind a side finds, where sides differ, and CPU seconds: a clean document should
cost little beside its shingles.
"""

from __future__ import annotations

import argparse
import html
import json
import random
import re
import subprocess
import tempfile
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from language_sample import read_books, read_wets, read_wikipedia

from dedup.contamination import NgramIndex
from dedup.contamination_builder import NgramIndexBuilder
from dedup.shingles import lower, shingle_texts

SIZE, MINIMUM_WORDS, MAXIMUM_ITEMS = 13, 8, 100
BATCH = 256

PEER = """
import json, sys, tempfile, time
from pathlib import Path
import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import (
    NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer)
given = json.load(open(sys.argv[1]))
config = NGramsDecontConfig(n_grams=given["size"])
# Its constructor asks for lighteval, of which computing hashes needs nothing.
NGramsDecontIndexer._requires_dependencies = []
with tempfile.TemporaryDirectory() as folder:
    indexer = NGramsDecontIndexer(folder, config=config)
    indexer.tokenizer.word_tokenize("load the tokenizer")
    started = time.process_time()
    hashes = {value for item in given["items"] for value in indexer.compute_hashes(item)}
    array = np.array(list(hashes), dtype=config.hash_config.np_descr)
    array.tofile(Path(folder, "items.index.hashes"))
    built = time.process_time() - started
    decontaminate = NGramsDecontFilter(folder, config=config)
    decontaminate.load_index_hashes()
    decontaminate.tokenizer.word_tokenize("load the tokenizer")
    documents = [Document(text=text, id="") for text in given["documents"]]
    started = time.process_time()
    found = [decontaminate.filter(document) is not True for document in documents]
    taken = time.process_time() - started
    ngrams = [document.metadata.get("contaminated_ngram") for document in documents]
print(json.dumps([built, taken, found, ngrams]))
"""

Words = tuple[str, ...]


def read_posts(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*/Posts.xml")):
        for body in re.findall(r' Body="([^"]*)"', path.read_text(encoding="utf-8-sig")):
            yield re.sub(r"<[^>]*>", "", html.unescape(html.unescape(body)))


def collect(data: Path) -> list[str]:
    """Every document of at least 1,000 characters; books in parts."""
    texts = [*read_wets(data / "commoncrawl"), *read_wikipedia(data / "wikipedia")]
    texts += read_posts(data / "stackexchange")
    for book in read_books(data / "books"):
        texts += [book[start : start + 8000] for start in range(0, len(book), 8000)]
    return [text for text in texts if len(text) >= 1000]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", lower(text))


def choose_item(text: str, chance: random.Random) -> str:
    """Consecutive words of a text: one in five items is shorter than n."""
    spans = [match.span() for match in re.finditer(r"\w+", text)]
    length = chance.randrange(MINIMUM_WORDS, SIZE) if chance.random() < 0.2 else 40
    first = chance.randrange(max(1, len(spans) - length))
    return text[spans[first][0] : spans[min(len(spans), first + length) - 1][1]]


def part(item: str, length: int) -> str:
    spans = [match.span() for match in re.finditer(r"\w+", item)]
    return item[spans[0][0] : spans[min(length, len(spans)) - 1][1]]


CHANGES: dict[str, Callable[[str], str]] = {
    "as it is": lambda item: item,
    "capitals, wrapped": lambda item: "\n".join(textwrap.wrap(item.upper(), 40)),
    "other punctuation": lambda item: re.sub(r"[^\w\s]+", "", item).replace(" ", " - ", 3),
    "13 words of it": lambda item: part(item, SIZE),
    "12 words of it": lambda item: part(item, SIZE - 1),
    "a word in 7 changed": lambda item: " ".join(
        f"{word}q" if place % 7 == 6 else word for place, word in enumerate(item.split())
    ),
    "digits changed": lambda item: re.sub(r"[0-8]", lambda m: str(int(m[0]) + 1), item),
}


def plant(
    texts: list[str], items: Sequence[str], chance: random.Random
) -> tuple[list[str], list[str]]:
    """Documents, and what was planted in each: every second one stays as it is."""
    documents, kinds = [], []
    for place, text in enumerate(texts):
        kind = "nothing" if place % 2 else chance.choice(list(CHANGES))
        if kind != "nothing":
            item = CHANGES[kind](chance.choice(items))
            at = chance.choice([match.end() for match in re.finditer(r"\s+", text)] or [0])
            documents.append(f"{text[:at]}\n{item}\n{text[at:]}")
        else:
            documents.append(text)
        kinds.append(kind)
    return documents, kinds


def plain_index(items: Sequence[str]) -> set[Words]:
    """The n-grams by the definition, each as a tuple of words."""
    found = set()
    for item in items:
        words = words_of(item)
        if len(words) >= MINIMUM_WORDS:
            size = min(SIZE, len(words))
            found |= {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}
    return found


def plain_find(documents: Sequence[str], ngrams: set[Words]) -> list[set[Words]]:
    """The n-grams of each document that are in the index."""
    sizes = sorted({len(ngram) for ngram in ngrams})
    found = []
    for text in documents:
        words = words_of(text)
        every = (tuple(words[i : i + size]) for size in sizes for i in range(len(words) - size + 1))
        found.append({ngram for ngram in every if ngram in ngrams})
    return found


def build(items: Sequence[str]) -> NgramIndex:
    builder = NgramIndexBuilder(SIZE, MINIMUM_WORDS, MAXIMUM_ITEMS)
    builder.start_set()
    for item in items:
        builder.add([item])
    return builder.build().index


def batches(documents: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(documents), BATCH):
        yield documents[first : first + BATCH]


def find(documents: Sequence[str], index: NgramIndex) -> list[int]:
    """Different n-grams found in each document, judged as the stage does."""
    found = []
    for batch in batches(documents):
        own = index.find(batch)
        for matches in own.values():
            index.judge(matches, 1)
        found += [own[place].distinct if place in own else 0 for place in range(len(batch))]
    return found


def shingle(documents: Sequence[str]) -> None:
    for batch in batches(documents):
        shingle_texts(batch, "word", SIZE)


def timed(function: Callable[..., Any], *values: Any) -> tuple[float, Any]:
    started = time.process_time()
    result = function(*values)
    return time.process_time() - started, result


def show_differences(plain: Sequence[set[Words]], peer: list[Any]) -> None:
    """The documents that only one side finds."""
    only_ours = [own for place, own in enumerate(plain) if own and not peer[2][place]]
    only_peer = [place for place, own in enumerate(plain) if not own and peer[2][place]]
    whole = [own for own in only_ours if all(len(ngram) < SIZE for ngram in own)]
    print(f"found by ours only: {len(only_ours)}, {len(whole)} of them by an item matched whole")
    for own in [own for own in only_ours if own not in whole][:10]:
        print(f"  {' '.join(max(own, key=len))}")
    print(f"found by datatrove only: {len(only_peer)}")
    for place in only_peer[:10]:
        print(f"  {peer[3][place]}")


def run_peer(python: str, items: Sequence[str], documents: Sequence[str]) -> list[Any]:
    """datatrove's seconds to build and to filter; of each document, whether and which n-gram."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "given.json")
        content = {"size": SIZE, "items": items, "documents": documents}
        given.write_text(json.dumps(content), encoding="utf-8")
        command = [python, "-c", PEER, str(given)]
        shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer: list[Any] = json.loads(shown)
    return answer


def show_kinds(kinds: Sequence[str], sides: dict[str, list[bool]]) -> None:
    """How many documents of each kind the sides find."""
    print(f"{'planted':<22}{'documents':>10}" + "".join(f"{name:>12}" for name in sides))
    for kind, number in Counter(kinds).items():
        found = [
            sum(hit for hit, own in zip(side, kinds, strict=True) if own == kind)
            for side in sides.values()
        ]
        print(f"{kind:<22}{number:>10}" + "".join(f"{count:>12}" for count in found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of real inputs")
    parser.add_argument("--peer-python", help="interpreter with datatrove and spacy")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parsed = parser.parse_args()
    chance = random.Random(parsed.seed)
    texts = collect(parsed.data)
    items = [choose_item(text, chance) for text in texts[1::2]]
    documents, kinds = plant(texts[::2], items, chance)
    characters = sum(map(len, documents))
    print(f"{len(items)} items; {len(documents)} documents, {characters / 1e6:.1f} M characters")

    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(parsed.rounds):
        taken, index = timed(build, items)
        seconds["build"].append(taken)
        seconds["shingles"].append(timed(shingle, documents)[0])
        taken, ours = timed(find, documents, index)
        seconds["ours"].append(taken)
        clean = [text for text, ngrams in zip(documents, ours, strict=True) if not ngrams]
        seconds["shingles, clean"].append(timed(shingle, clean)[0])
        seconds["ours, clean"].append(timed(find, clean, index)[0])
    taken, plain = timed(plain_find, documents, plain_index(items))
    seconds["plain Python"].append(taken)
    wrong = sum(len(expected) != found for expected, found in zip(plain, ours, strict=True))
    print(f"documents whose n-grams differ from the definition's: {wrong}")
    sides = {"ours": [ngrams > 0 for ngrams in ours]}
    if parsed.peer_python:
        peer = run_peer(parsed.peer_python, items, documents)
        seconds["datatrove build"], seconds["datatrove"] = [peer[0]], [peer[1]]
        sides["datatrove"] = peer[2]
        show_differences(plain, peer)
    show_kinds(kinds, sides)
    middle = {name: median(values) for name, values in seconds.items()}
    for name, value in middle.items():
        print(f"{name:<18}{value:8.3f} s")
    print(f"ours / shingles: {middle['ours'] / middle['shingles']:.2f}")
    ratio = middle["ours, clean"] / middle["shingles, clean"]
    print(f"ours / shingles, documents without a match: {ratio:.2f}")
    for name in ("plain Python", "datatrove"):
        if name in middle:
            print(f"{name} / ours: {middle[name] / middle['ours']:.1f}")


if __name__ == "__main__":
    main()
