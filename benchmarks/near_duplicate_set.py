"""A labelled set of near-duplicates from real texts, with the exact Jaccard of every pair.

    PYTHONPATH=. python benchmarks/near_duplicate_set.py --data DIR --output SET \\
        [--documents 17000] [--seed 1]

DIR has the folders wikipedia, commoncrawl, books, stackexchange, github, arxiv and lid. SET gets

* `documents.jsonl`: `id` and `text`, shuffled; ids are line numbers and tell nothing.
* `pairs.npz`: `left`, `right` (line numbers, left < right) and `jaccard` of every pair of at least
  0.5; of each document `kind`, `parent` (the line it was made from, or -1) and `shingles`.

About 59 % of the documents are base texts (blocks of whole lines of the sources' files), 34 % are
derived from one (see `near_duplicate_edits.py`; a fifth of those from a derived one), 4 % are
template pages, which share a frame but are no duplicates, and 3 % are short: sentences, some of
them twice in other case and punctuation, and titles of fewer than five words.

Shingles: words are the runs of `\\w` in the lower-cased text, shingles are five words in a row; a
document of fewer than five words is one shingle. Jaccard is taken of the sets of shingles, found by
an inverted index over all shingles: no sketch, no hash.

Without --data, prints what SET is made of.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse

from benchmarks.near_duplicate_edits import WORD, Editor
from benchmarks.near_duplicate_texts import Texts, cut_blocks, read_texts

SHINGLE_WORDS = 5
LEAST_JACCARD = 0.5
BINS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
MEAN_CHARACTERS = 4200
Integers = npt.NDArray[np.int64]


@dataclass
class Labelled:
    """A text, how it came about, and the text it was made from."""

    text: str
    kind: str
    parent: Labelled | None = None


def build_documents(texts: Texts, count: int, choice: random.Random) -> list[Labelled]:
    """All documents, shuffled."""
    bases = [
        Labelled(block, f"base_{source}")
        for source, whole in texts.whole.items()
        for block in sorted(
            {b for text in whole for b in cut_blocks(text, MEAN_CHARACTERS, choice)}
        )
    ]
    choice.shuffle(bases)
    bases = bases[: int(0.59 * count)]
    words = WORD.findall(" ".join(base.text for base in choice.sample(bases, 50)))
    editor = Editor(words, texts.navigation, choice)
    documents = [
        *bases,
        *_derive(bases, editor, int(0.34 * count)),
        *_templates(bases, editor, int(0.04 * count)),
        *_short(texts, editor, int(0.03 * count)),
    ]
    choice.shuffle(documents)
    return documents


def _derive(bases: Sequence[Labelled], editor: Editor, count: int) -> list[Labelled]:
    """Derived texts: of a base one to eight, few of many; some are derived in a chain."""
    choice, edits = editor.choice, editor.edits()
    kinds = [kind for kind in edits if kind != "exact_copy"] * 3 + ["exact_copy"]
    derived: list[Labelled] = []
    for base in choice.sample(bases, len(bases)):
        if len(derived) >= count:
            break
        family = [base]
        for _ in range(choice.choices((0, 1, 2, 3, 4, 8), (50, 34, 9, 4, 2, 1))[0]):
            parent = (
                choice.choice(family[1:]) if len(family) > 1 and choice.random() < 0.4 else base
            )
            kind = choice.choice(kinds)
            family.append(Labelled(edits[kind](parent.text), kind, parent))
        derived += family[1:]
    return derived[:count]


def _templates(bases: Sequence[Labelled], editor: Editor, count: int) -> list[Labelled]:
    """Template pages on frames of 1,500 to 4,000 characters, filled from texts no shorter."""
    frames = [base.text for base in bases if 1500 <= len(base.text) < 4000]
    fillers = [base.text for base in bases if len(base.text) >= 4000]
    pages: list[Labelled] = []
    while len(pages) < count:
        frame = editor.choice.choice(frames)
        size = min(editor.choice.randint(5, 20), count - len(pages))
        drawn = editor.template_pages(frame, fillers, size)
        if exact_pairs(shingle_matrix([frame, *drawn]), 0.7)[0].size == 0:
            pages += [Labelled(page, "template") for page in drawn]
    return pages


def _short(texts: Texts, editor: Editor, count: int) -> list[Labelled]:
    """Half sentences, a quarter such sentences again reformatted, a quarter of 1 to 4 words."""
    choice = editor.choice
    sentences = [Labelled(s, "short") for s in choice.sample(texts.sentences, count // 2)]
    again = [
        Labelled(editor.reformatting(sentence.text), "short_reformatted", sentence)
        for sentence in choice.sample(sentences, count // 4)
    ]
    titles = [
        Labelled(" ".join(s.split()[: choice.randint(1, 4)]), "very_short")
        for s in choice.choices(texts.sentences[: 2 * count], k=count - len(sentences) - len(again))
    ]
    return [*sentences, *again, *titles]


def shingle_matrix(texts: Sequence[str]) -> scipy.sparse.csr_matrix:
    """Documents by shingles, 1 where a document has it; shingles are numbered without hashing."""
    vocabulary: dict[str, int] = {}
    rows = [
        np.fromiter(
            (vocabulary.setdefault(w, len(vocabulary) + 1) for w in WORD.findall(text.lower())),
            np.int64,
        )
        for text in texts
    ]
    # A document of fewer words is filled up with the word 0, which no text has.
    rows = [np.pad(row, (0, max(0, SHINGLE_WORDS - len(row)))) for row in rows]
    words = np.concatenate(rows)
    ends = np.cumsum([len(row) for row in rows])
    # The number of n words in a row is that of the first n-1 and the next word, renumbered.
    grams = words
    for length in range(2, SHINGLE_WORDS + 1):
        pairs = grams[:-1] * (len(vocabulary) + 1) + words[length - 1 :]
        grams = np.unique(pairs, return_inverse=True)[1]
    document = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    # A run of words that reaches into the next document is no shingle.
    starts = np.arange(len(grams))
    inside = starts + SHINGLE_WORDS <= ends[document[: len(grams)]]
    columns, lines = grams[inside], document[: len(grams)][inside]
    matrix = scipy.sparse.csr_matrix(
        (np.ones(len(columns), np.int32), (lines, columns)), shape=(len(rows), grams.max() + 1)
    )
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def exact_pairs(
    matrix: scipy.sparse.csr_matrix, least: float
) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """Left, right and Jaccard of every pair of documents of at least `least`."""
    sizes = np.diff(matrix.indptr)
    shared = np.asarray(matrix.sum(axis=0)).ravel() > 1
    matrix = matrix[:, shared]
    transposed = matrix.T.tocsr()
    found = []
    for start in range(0, matrix.shape[0], 500):
        common = (matrix[start : start + 500] @ transposed).tocoo()
        left, right = common.row.astype(np.int64) + start, common.col.astype(np.int64)
        jaccard = common.data / (sizes[left] + sizes[right] - common.data)
        wanted = (left < right) & (jaccard >= least)
        found.append((left[wanted], right[wanted], jaccard[wanted]))
    lefts, rights, jaccards = zip(*found, strict=True)
    return np.concatenate(lefts), np.concatenate(rights), np.concatenate(jaccards)


def write_set(documents: Sequence[Labelled], folder: Path) -> None:
    """Documents and truth."""
    folder.mkdir(parents=True, exist_ok=True)
    line_of = {id(document): line for line, document in enumerate(documents)}
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as file:
        for line, document in enumerate(documents):
            record = {"id": str(line), "text": document.text}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    matrix = shingle_matrix([document.text for document in documents])
    left, right, jaccard = exact_pairs(matrix, LEAST_JACCARD)
    np.savez_compressed(
        folder / "pairs.npz",
        left=left,
        right=right,
        jaccard=jaccard,
        kind=np.array([document.kind for document in documents]),
        parent=np.array([line_of[id(d.parent)] if d.parent else -1 for d in documents]),
        shingles=np.diff(matrix.indptr),
    )


def print_set(folder: Path) -> None:
    """Counts by kind; pairs with the parent by kind, and all pairs, by bin of Jaccard."""
    truth = np.load(folder / "pairs.npz")
    kind, parent, left, right = (truth[key] for key in ("kind", "parent", "left", "right"))
    size = (folder / "documents.jsonl").stat().st_size
    print(f"{len(kind)} documents, {size / 1e6:.1f} MB, {size / len(kind):.0f} bytes each")
    place = np.searchsorted(BINS, truth["jaccard"], side="right") - 1
    bins = [*(f"<{high:g}" for high in BINS[1:]), "=1"]
    heads = "".join(f"{name:>7s}" for name in ("<0.5", *bins))
    print(f"\n{'Jaccard with parent':20s}{'documents':>10s}{heads}")
    made = (parent[left] == right) | (parent[right] == left)
    child = np.where(parent[left] == right, left, right)
    for name, count in sorted(Counter(kind.tolist()).items()):
        cells = np.bincount(place[made & (kind[child] == name)], minlength=len(bins))
        far = int(((kind == name) & (parent >= 0)).sum()) - int(cells.sum())
        row = "".join(f"{cell or '':>7}" for cell in (far, *cells.tolist()))
        print(f"{name:20s}{count:10d}{row}")
    templates = (kind[left] == "template") & (kind[right] == "template")
    bases = np.char.startswith(kind[left], "base") & np.char.startswith(kind[right], "base")
    for name, chosen in (
        ("all pairs", np.ones(len(left), bool)),
        ("of base texts", bases),
        ("of template pages", templates),
    ):
        cells = np.bincount(place[chosen], minlength=len(bins))
        print(f"{name:37s}" + "".join(f"{cell or '':>7}" for cell in cells.tolist()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="folder of the sources' files")
    parser.add_argument("--output", type=Path, required=True, help="folder of the set")
    parser.add_argument("--documents", type=int, default=17_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.data:
        texts = read_texts(arguments.data)
        documents = build_documents(texts, arguments.documents, random.Random(arguments.seed))
        write_set(documents, arguments.output)
    print_set(arguments.output)


if __name__ == "__main__":
    main()
