"""Which blocks of a page are its text: extractors are asked, blocks are what is taken.

A mark stands in front of each block's text while an extractor reads the page; the marks that come
out again are the blocks that it chose. So an extractor decides what is text and never how it is
written: whatever it does to spaces, cells, code and formulas, a block comes out as a browser shows
it, or not at all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray
from resiliparse.extract.html2text import extract_plain_text

from filters.web.blocks import Block
from filters.web.features import NAMES, block_features
from filters.web.page_types import PageType
from filters.web.weights import WEIGHTS

# A mark is a sign of Sutton SignWriting and a pattern of Braille: printable, no letters, no spaces,
# so no extractor drops them, nor takes a button's label for a word that it does not know.
_HIGH, _LOW, _LOWS = 0x1D800, 0x2801, 255
_MARK = re.compile("[\U0001d800-\U0001d9ff][\u2801-\u28ff]")
MAXIMUM_MARKS = 512 * _LOWS
# Of Resiliparse's characters; below it trafilatura's full mode is asked.
MINIMUM_SHARE = 0.5


def mark_blocks(blocks: Sequence[Block]) -> None:
    """Put a mark in front of the text of each block, in the tree that they were read from."""
    for number, block in enumerate(blocks[:MAXIMUM_MARKS]):
        element, behind = block.place
        high, low = divmod(number, _LOWS)
        mark = chr(_HIGH + high) + chr(_LOW + low)
        if behind:
            element.tail = mark + element.tail
        else:
            element.text = mark + element.text


def marked_numbers(text: str) -> set[int]:
    """Numbers of the blocks whose marks are in a text."""
    return {(ord(mark[0]) - _HIGH) * _LOWS + ord(mark[1]) - _LOW for mark in _MARK.findall(text)}


def trafilatura_blocks(tree: Any, *, fast: bool) -> set[int]:
    """Numbers of the blocks that trafilatura takes; the tree stays as it is.

    Full mode consults two more extractors where its own rules find little.
    """
    import trafilatura  # noqa: PLC0415  (a quarter of a second, which every recipe would cost)
    from trafilatura.settings import Extractor  # noqa: PLC0415

    options = Extractor(fast=fast, comments=False)
    found = trafilatura.bare_extraction(tree, options=options)
    if found is None:
        return set()
    return marked_numbers("".join(found.body.itertext()))


def resiliparse_blocks(tree: Any, *, comments: bool) -> set[int]:
    """Numbers of the blocks that Resiliparse's rules take for the main content."""
    html = etree.tostring(tree, encoding="unicode", method="html")
    text = extract_plain_text(
        html, preserve_formatting=False, main_content=True, list_bullets=False, alt_texts=False,
        comments=comments,
    )  # fmt: skip
    return marked_numbers(text)


def choose_blocks(tree: Any, blocks: Sequence[Block], kind: PageType) -> list[int]:
    """Numbers of the blocks of a page that are its text, ascending; the tree gets marks."""
    if not blocks:
        return []
    mark_blocks(blocks)
    opinions = ask(tree, blocks, kind)
    scores = block_features(blocks, *opinions, kind) @ _WEIGHTS
    return whole(blocks, most_probable(scores, opinions[0], kind))


def whole(blocks: Sequence[Block], chosen: Sequence[int]) -> list[int]:
    """The chosen blocks, with no table torn and no code or verse missing between them."""
    if not chosen:
        return []
    rows = Counter(block.group for block in blocks)
    taken = Counter(blocks[number].group for number in chosen)
    wanted = set(chosen)
    return [
        number
        for number, block in enumerate(blocks)
        if (2 * taken[block.group] >= rows[block.group] if block.group else number in wanted)
        or (block.kind in ("code", "verse") and chosen[0] < number < chosen[-1])
    ]


def ask(tree: Any, blocks: Sequence[Block], kind: PageType) -> tuple[set[int], set[int]]:
    """The blocks that trafilatura takes, and those that Resiliparse takes; the tree has marks."""
    every = range(len(blocks))
    # Comments are what a thread is made of, and noise elsewhere.
    others = resiliparse_blocks(tree, comments=kind == "thread").intersection(every)
    found = trafilatura_blocks(tree, fast=True).intersection(every)
    if is_doubtful(blocks, found, others):
        found = trafilatura_blocks(tree, fast=False).intersection(every) or found
    return found, others


def is_doubtful(
    blocks: Sequence[Block], trafilatura: Collection[int], resiliparse: Collection[int]
) -> bool:
    """Whether fast mode missed the text: it took one block, or less than half of the other's."""
    if len(trafilatura) <= 1:
        return True
    return _length(blocks, trafilatura) < MINIMUM_SHARE * _length(blocks, resiliparse)


def _length(blocks: Sequence[Block], numbers: Collection[int]) -> int:
    return sum(len(line) for number in numbers for line in blocks[number].lines)


def most_probable(
    scores: NDArray[np.float64], trafilatura: Collection[int], kind: PageType
) -> list[int]:
    """Numbers of the blocks that are text, by their scores (log-odds; shape [blocks])."""
    own, others = _LEAST.get(kind, (_USUAL, _USUAL))
    least = np.full(len(scores), others)
    least[list(trafilatura)] = own
    chosen: list[int] = np.flatnonzero(scores >= least).tolist()
    return chosen


_WEIGHTS = np.array([WEIGHTS[name] for name in NAMES])
# Log-odds from which a block is text, of probability .42; by kind of page for trafilatura's blocks
# and for others: .2 and .6 on products.
_USUAL = -0.323
_LEAST = {"product": (-1.386, 0.405)}
