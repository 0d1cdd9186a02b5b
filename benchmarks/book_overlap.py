"""The 90 % rule for books: the decisions of `roving dedup overlap` against the rule itself.

    PYTHONPATH=. python benchmarks/book_overlap.py --data DIR [--sample 64 16] [--copies 1]

DIR has the folder books with index.tsv. Documents are its books (the text between Project
Gutenberg's markers; the whole file where one is missing) and what is made of them, see `make_set`.
The containment of every pair is counted exactly, from sets of five-word strings; the rule is: in
order of preference, a book goes when it overlaps a preferred one that stays by more than 90 %.

Peers on the same sets: datasketch's MinHashLSHEnsemble (containment, 128 permutations), and 64-bit
SimHash as RedPajama v1 has it for books (6-character windows of the lower-cased text without
non-word characters, Hamming distance of at most 5). Both find pairs; the rule then decides.

Then: how often an excerpt of few words is found in a book, beside what the sample lets expect.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import datasketch
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse

from benchmarks.common import Used, measure
from dedup.shingles import shingle_texts
from pipeline.passes.engine import Engine
from pipeline.passes.run import write_mark
from pipeline.store.commit import new_run
from pipeline.store.dataset import Dataset

THRESHOLD = 0.9
SHINGLE_WORDS = 5
PARTS = 4
WORD = re.compile(r"\w+")
START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG EBOOK[^\n]*\n")
END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG")
CODECS = {"iso-8859-1/cp1252": "cp1252", "utf-8-bom": "utf-8-sig"}
EXCERPT_WORDS = (24, 54, 104, 204, 404, 804, 1604)
Matrix = npt.NDArray[np.float64]
Pairs = set[tuple[int, int]]


@dataclass(frozen=True)
class Text:
    """A document of the set and how it came about."""

    name: str
    kind: str
    text: str


def read_books(folder: Path) -> dict[str, tuple[str, str]]:
    """Body and licence text of every book, by file name."""
    books = {}
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            codec = CODECS.get(row["encoding_found"], row["encoding_found"])
            text = (folder / row["file"]).read_bytes().decode(codec).replace("\r\n", "\n")
            start = START.search(text)
            text = text[start.end() :] if start else text
            end = END.search(text)
            body, rest = (text[: end.start()], text[end.end() :]) if end else (text, "")
            books[row["file"]] = body, rest
    return books


def excerpt(text: str, words: int, choice: random.Random) -> str:
    """So many words in a row."""
    found = [match.span() for match in WORD.finditer(text)]
    first = choice.randrange(len(found) - words + 1)
    return text[found[first][0] : found[first + words - 1][1]]


def noisy(text: str, every: int) -> str:
    """Every so manieth word misread."""
    parts = re.split(r"(\w+)", text)
    for place in range(1, len(parts), 2 * every):
        parts[place] = f"{parts[place]}{place}"
    return "".join(parts)


def make_set(books: dict[str, tuple[str, str]], copies: int, choice: random.Random) -> list[Text]:
    """The documents: books, parts of them, volumes, noise, licence text, anthologies, poems."""
    texts = [Text(name, "book", body) for name, (body, _) in books.items()]
    bodies = {text.name: text.text for text in texts}
    licence = max((rest for _, rest in books.values()), key=len)
    for number in range(copies):
        texts += _parts(bodies, number, choice) + _noise(bodies, number)
        texts += _with_licence(bodies, licence, number, choice)
        texts += _anthologies(bodies, number, choice) + _short(bodies, number, choice)
    choice.shuffle(texts)
    return texts


def _parts(bodies: dict[str, str], number: int, choice: random.Random) -> list[Text]:
    """A half and a tenth of each book; volumes of three books."""
    made = []
    for name, body in bodies.items():
        count = len(WORD.findall(body))
        for share, kind in ((2, "half"), (10, "tenth")):
            part = excerpt(body, count // share, choice)
            made.append(Text(f"{kind}{number}-{name}", kind, part))
    for volume in range(5):
        names = choice.sample(sorted(bodies), 3)
        text = "\n\n".join(bodies[name] for name in names)
        made.append(Text(f"volume{number}-{volume}", "volume", text))
    return made


def _noise(bodies: dict[str, str], number: int) -> list[Text]:
    """Words misread all over: 5 shingles are lost for each."""
    names = sorted(bodies)[number % 3 :: 3]
    return [
        Text(f"noise{every}-{number}-{name}", f"noise{every}", noisy(bodies[name], every))
        for name in names
        for every in (20, 45, 55, 100)
    ]


def _with_licence(
    bodies: dict[str, str], licence: str, number: int, choice: random.Random
) -> list[Text]:
    """Short books, each behind the same licence text, which is most of some; some of them twice."""
    made = []
    for name, body in bodies.items():
        part = excerpt(body, choice.randrange(300, 1100), choice)
        made.append(Text(f"licence{number}-{name}", "licence", f"{licence}\n{part}"))
        if len(made) % 3 == 0:
            other = f"{noisy(licence, 200)}\n{noisy(part, 200)}"
            made.append(Text(f"licence-again{number}-{name}", "licence_again", other))
    return made


def _anthologies(bodies: dict[str, str], number: int, choice: random.Random) -> list[Text]:
    """Thirty of forty stories each: every story is in many of them, two share 20 to 30."""
    stories = [excerpt(choice.choice(sorted(bodies.values())), 800, choice) for _ in range(40)]
    made = []
    for volume in range(30):
        chosen = choice.sample(range(40), 30)
        for edition in range(3 if volume % 10 == 0 else 1):
            if edition:
                place = choice.randrange(30)
                chosen = [*chosen[:place], choice.randrange(40), *chosen[place + 1 :]]
            text = "\n\n".join(stories[story] for story in chosen)
            kind = "anthology_again" if edition else "anthology"
            made.append(Text(f"anthology{number}-{volume}-{edition}", kind, text))
    return made


def _short(bodies: dict[str, str], number: int, choice: random.Random) -> list[Text]:
    """Leaflets of 24 to 3,000 words, in two editions; none is from a book of the set."""
    made = []
    for leaflet in range(40):
        count = round(24 * (3000 / 24) ** (leaflet / 39))
        words = WORD.findall(choice.choice(sorted(bodies.values())))[: 4 * count]
        choice.shuffle(words)
        words = words[:count]
        again = list(words)
        again[choice.randrange(len(words))] = "other"
        for kind, edition in (("leaflet", words), ("leaflet_again", again)):
            made.append(Text(f"{kind}{number}-{leaflet}", kind, " ".join(edition)))
    return made


def containments(texts: Sequence[Text]) -> Matrix:
    """Exact containment of every pair, from the sets of shingles themselves."""
    numbers: dict[str, int] = {}
    columns, sizes = [], []
    for text in texts:
        words = WORD.findall(text.text.lower())
        own = {
            " ".join(words[i : i + SHINGLE_WORDS])
            for i in range(max(1, len(words) - SHINGLE_WORDS + 1))
        }
        columns.append(np.array([numbers.setdefault(one, len(numbers)) for one in own]))
        sizes.append(len(own))
    places = np.concatenate(columns)
    rows = np.repeat(np.arange(len(texts)), sizes)
    held = scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, places)))
    shared = (held @ held.T).toarray()
    return np.asarray(shared / np.minimum.outer(sizes, sizes))


def pairs_above(overlap: Matrix) -> Pairs:
    places = zip(*np.nonzero(np.triu(overlap, 1) > THRESHOLD), strict=True)
    return {(int(one), int(other)) for one, other in places}


def decide(texts: Sequence[Text], pairs: Pairs) -> dict[int, int]:
    """The rule on some pairs, longest first: who goes, and for whom."""
    order = sorted(range(len(texts)), key=lambda number: (-len(texts[number].text), number))
    gone: dict[int, int] = {}
    for place, number in enumerate(order):
        for other in order[:place]:
            if other not in gone and (min(number, other), max(number, other)) in pairs:
                gone[number] = other
                break
    return gone


def run_ours(texts: Sequence[Text], sample: int, folder: Path) -> tuple[Pairs, dict[int, int]]:
    """The command: pairs that it verified, and who goes for whom; prints what it cost."""
    source, output = folder / "documents", folder / "out"
    source.mkdir(parents=True)
    # What steps have made stays while a run on another engine has not said that it ended.
    write_mark(str(output), new_run(), Engine("DataflowRunner"))
    bounds = [len(texts) * part // PARTS for part in range(PARTS + 1)]
    for part in range(PARTS):
        own = texts[bounds[part] : bounds[part + 1]]
        ids = [text.name for text in own]
        table = {"id": ids, "source": ["books"] * len(own), "text": [text.text for text in own]}
        pq.write_table(pa.table(table), source / f"{part:05}.parquet")
    setting = f"deduplication.overlap.sample={sample}"
    command = [sys.executable, "-m", "pipeline", "dedup", "overlap", "--set", setting, "--foreign"]
    used = measure([*command, "--input", f"d={source}", "--output", str(output)])
    print_costs(used, sum(len(text.text.encode()) for text in texts) / 1e6, output / "work")
    pairs = set()
    for path in output.glob("work/overlap.edges/edges/*.npy"):
        for one, other, *_ in np.load(path).tolist():
            ends = [bounds[end >> 32] + (end & 0xFFFFFFFF) for end in (one, other)]
            pairs.add((min(ends), max(ends)))
    numbers = {text.name: number for number, text in enumerate(texts)}
    gone = {}
    dataset = Dataset(str(output / "d"))
    for file in dataset.files("rejected"):
        for row in pq.read_table(dataset.full(file.name)).to_pylist():
            if row["reason"] != "duplicate":
                sys.exit(f"{row['id']} went as {row['reason']}")
            unit, place = row["detail"].removeprefix("of ").split(",")[0].split(":")
            gone[numbers[row["id"]]] = bounds[int(unit)] + int(place)
    return pairs, gone


def print_costs(used: Used, megabytes: float, work: Path) -> None:
    """CPU and memory of the command, and what lies on disk for each MB of text."""
    patterns = {
        "keys": "overlap.keys.d/keys/overlap/*",
        "shingles": "overlap.keys.d/keys/overlap-shingles/*",
        "candidates": "overlap.candidates/decisions/*.npy",
    }
    sizes = {
        name: sum(path.stat().st_size for path in work.glob(pattern)) / megabytes / 1000
        for name, pattern in patterns.items()
    }
    print(f"  {used.cpu:.1f} s CPU, {megabytes:.1f} MB of text, {used.peak:.0f} MB peak; per MB:")
    print("  " + ", ".join(f"{name} {size:.1f} kB" for name, size in sizes.items()))


def ensemble_pairs(texts: Sequence[Text]) -> Pairs:
    """datasketch's MinHashLSHEnsemble: each text's containment in the others, in 8 partitions."""
    entries = []
    for number, text in enumerate(texts):
        own = shingle_texts([text.text], "word", SHINGLE_WORDS).unique(0)
        sketch = datasketch.MinHash(num_perm=128, hashfunc=lambda value: value)
        hashes = (own & np.uint64(0xFFFFFFFF)).tolist()
        for start in range(0, len(hashes), 20_000):
            sketch.update_batch(hashes[start : start + 20_000])
        entries.append((number, sketch, len(own)))
    index = datasketch.MinHashLSHEnsemble(threshold=THRESHOLD, num_perm=128, num_part=8)
    index.index(entries)
    return {
        (min(number, other), max(number, other))
        for number, sketch, size in entries
        for other in index.query(sketch, size)
        if other != number
    }


def simhash_pairs(texts: Sequence[Text]) -> Pairs:
    """SimHash of 64 bits over 6-character windows; distance of at most 5."""
    sketches = np.empty(len(texts), np.uint64)
    for number, text in enumerate(texts):
        letters = "".join(WORD.findall(text.text.lower()))
        hashes = shingle_texts([letters], "character", 6).hashes
        bits = np.array([(hashes >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)])
        sketches[number] = np.packbits(bits > 0.5).view(np.uint64)[0]
    distance = np.bitwise_count(sketches[:, None] ^ sketches[None, :])
    places = zip(*np.nonzero(np.triu(distance <= 5, 1)), strict=True)
    return {(int(one), int(other)) for one, other in places}


def score(name: str, texts: Sequence[Text], overlap: Matrix, pairs: Pairs) -> None:
    """Recall and precision of pairs, and of who goes by the rule on them."""
    wanted = pairs_above(overlap)
    found = len(pairs & wanted)
    right, gone = set(decide(texts, wanted)), set(decide(texts, pairs))
    print(
        f"{name:28s} pairs {len(pairs):6d}  recall {found / len(wanted):.4f}  precision "
        f"{found / max(1, len(pairs)):.4f} | goes {len(gone):4d}  wrongly "
        f"{len(gone - right):3d}  not {len(right - gone):3d}"
    )


def print_kinds(texts: Sequence[Text], overlap: Matrix, gone: dict[int, int]) -> None:
    """How many of each kind are there and go; the nearest pairs on both sides of the threshold."""
    there = Counter(text.kind for text in texts)
    going = Counter(texts[number].kind for number in gone)
    print("goes, of kind: " + ", ".join(f"{k} {going[k]}/{n}" for k, n in sorted(there.items())))
    values = overlap[np.triu_indices(len(texts), 1)]
    print(f"nearest to the threshold: {values[values <= THRESHOLD].max():.4f} and ", end="")
    print(f"{values[values > THRESHOLD].min():.4f}")


def print_excerpts(bodies: Sequence[str], sample: int, choice: random.Random, folder: Path) -> None:
    """How often an excerpt and the book that it is from, which is much larger, become a pair."""
    texts = [Text(f"book{number}", "book", body) for number, body in enumerate(bodies)]
    origins = {}
    for words in EXCERPT_WORDS:
        for number in range(100):
            origins[len(texts)] = choice.randrange(len(bodies))
            part = excerpt(bodies[origins[len(texts)]], words, choice)
            texts.append(Text(f"excerpt{words}-{number}", str(words), part))
    pairs, _ = run_ours(texts, sample, folder)
    found = Counter(
        texts[number].kind for number, book in origins.items() if (book, number) in pairs
    )
    for words in EXCERPT_WORDS:
        missed = (1 - 1 / sample) ** (words - SHINGLE_WORDS + 1)
        print(
            f"  {words:5d} words: {found[str(words)]:3d} of 100, expected {100 * (1 - missed):.1f}"
        )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="has the folder books")
    parser.add_argument("--sample", type=int, nargs="*", default=[64, 16])
    parser.add_argument("--copies", type=int, default=1, help="of what is made of the books")
    arguments = parser.parse_args(argv)
    books = read_books(arguments.data / "books")
    texts = make_set(books, arguments.copies, random.Random(1))
    overlap = containments(texts)
    wanted = pairs_above(overlap)
    right = decide(texts, wanted)
    print(f"{len(texts)} documents, {len(wanted)} pairs above {THRESHOLD}, {len(right)} go")
    print_kinds(texts, overlap, right)
    for sample in arguments.sample:
        with tempfile.TemporaryDirectory() as folder:
            print(f"roving, sample = {sample}")
            pairs, gone = run_ours(texts, sample, Path(folder))
            score(f"roving, sample = {sample}", texts, overlap, pairs)
            print(f"  decisions equal the rule: {gone == right}")
    peers: dict[str, Callable[[Sequence[Text]], Pairs]] = {
        "datasketch MinHashLSHEnsemble": ensemble_pairs,
        "SimHash (RedPajama v1)": simhash_pairs,
    }
    for name, find in peers.items():
        started = time.process_time()
        score(name, texts, overlap, find(texts))
        print(f"  {time.process_time() - started:.1f} s CPU")
    for sample in arguments.sample:
        with tempfile.TemporaryDirectory() as folder:
            print(f"excerpts in books, sample = {sample}")
            bodies = [body for body, _ in books.values() if len(body) > 20_000]
            print_excerpts(bodies, sample, random.Random(2), Path(folder))


if __name__ == "__main__":
    main()
