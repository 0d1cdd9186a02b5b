"""What is known of each block of a page when it is decided whether it is text of the page.

Two extractors' opinions on it and on its neighbours, its length, links and kind, the elements and
class names around it, and how much of the page each extractor takes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filters.web.blocks import Block
from filters.web.page_types import PageType

Features = NDArray[np.float64]

NAMES = (
    "always", "trafilatura", "resiliparse", "both", "trafilatura_near", "resiliparse_near",
    "log_words", "words_15", "words_40", "linked_50", "linked_90", "linked_long", "heading", "item",
    "row", "code", "verse", "trafilatura_span", "resiliparse_span", "both_spans", "sentence_end",
    "nav", "footer", "aside", "header", "main", "form", "named_around", "named_content",
    "named_post", "trafilatura_few", "resiliparse_few", "trafilatura_many", "resiliparse_many",
    "trafilatura_share", "resiliparse_share", "share_trafilatura", "share_resiliparse", "position",
    "digit", "thread", "article", "article_trafilatura", "named_caption", "named_end", "before",
    "named_lead", "after", "other", "other_trafilatura", "article_resiliparse", "agreement",
    "agreement_trafilatura", "agreement_resiliparse",
)  # fmt: skip

_AROUND = re.compile(
    r"nav|menu|footer|sidebar|breadcrumb|cookie|consent|related|share|social|promo|banner|subscri|"
    r"newsletter|login|signin|modal|popup|widget|recommend|toolbar|masthead|pagination|pager|"
    r"copyright|advert|sponsor|skip",
    re.IGNORECASE,
)
_CONTENT = re.compile(
    r"content|article|main|body|entry|description|detail|markdown|prose|post|text", re.IGNORECASE
)
_POST = re.compile(r"comment|reply|replies|message|post|thread|answer|topic", re.IGNORECASE)
# Of the elements next to a block: of pictures, of what stands below a text, of a text's summary.
_CAPTION = re.compile(r"figcaption|caption|credit|img-meta|copyright", re.IGNORECASE)
_END = re.compile(
    r"author|byline|\bbio|newsletter|respond|commentform|comment-form|rating|review|nocomment|"
    r"postmeta|meta\b|follow|tags?\b|phone|twitter|date|time",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"lead|intro|teaser|abstract|summary|deck|chapo|standfirst|subtitle|subhead|description",
    re.IGNORECASE,
)
_NEXT = (_CAPTION, _END, _LEAD)
_SENTENCE_END = re.compile(r"[.!?…。！？:;\"”’)]\s*$")
_DIGIT = re.compile(r"^\W*\d+\b")
_TAGS = ("nav", "footer", "aside", "header", "main", "form")
_TAG_PLACES = {tag: 1 << place for place, tag in enumerate(_TAGS)} | {"article": 1 << 4}
_NAMED = tuple(
    (pattern, 1 << place) for place, pattern in enumerate((_AROUND, _CONTENT, _POST), len(_TAGS))
)
_KINDS = ("heading", "item", "row", "code", "verse")
# Script that has no spaces: a word is about so long.
_WORD = 8
_NEAR = 3
# Levels of elements whose names are next to a block; blocks in front of a text that may lead it in.
_LEVELS, _BEFORE = 4, 8
_LEAD_WORDS, _TEXT_WORDS = 10, 15
_NAME_CHARACTERS = 40


def block_features(
    blocks: Sequence[Block],
    trafilatura: Collection[int],
    resiliparse: Collection[int],
    kind: PageType,
) -> Features:
    """What is known of each block: shape [blocks, features], in the order of `NAMES`.

    Args:
        blocks: of a page.
        trafilatura, resiliparse: numbers of the blocks that each takes for text.
        kind: of the page.
    """
    count = len(blocks)
    theirs, others = _chosen(trafilatura, count), _chosen(resiliparse, count)
    words = np.array([_words(block) for block in blocks], np.float64)
    linked = np.array([block.linked for block in blocks])
    around = _around(blocks)
    last = [block.lines[-1] for block in blocks]
    share, other_share = (theirs @ words) / (words.sum() + 1), (others @ words) / (words.sum() + 1)
    span, other_span = _span(theirs), _span(others)
    few, many = float(share < 0.5 * other_share), float(share > 2 * other_share)
    is_article = float(kind == "article")
    columns = [
        1.0, theirs, others, theirs * others, _near(theirs), _near(others),
        np.log1p(words), words >= 15, words >= 40,
        linked > 0.5, linked > 0.9, (linked > 0.5) & (words > 15),
        *[np.array([block.kind == name for block in blocks]) for name in _KINDS],
        span, other_span, span * other_span,
        np.array([_SENTENCE_END.search(line) is not None for line in last]),
        *[(around & (1 << place)) > 0 for place in range(len(_TAGS) + len(_NAMED))],
        theirs * few, others * few, theirs * many, others * many,
        share, other_share, theirs * share, others * other_share,
        np.arange(count) / max(count, 1),
        np.array([_DIGIT.search(block.lines[0]) is not None for block in blocks]),
        float(kind == "thread"), is_article, theirs * is_article,
        *_text_columns(blocks, theirs, others, words, kind),
    ]  # fmt: skip
    table = np.empty((count, len(columns)))
    for number, column in enumerate(columns):
        table[:, number] = column
    return table


def _text_columns(
    blocks: Sequence[Block], theirs: Features, others: Features, words: Features, kind: PageType
) -> list[Any]:
    """What tells a text from captions, from what leads it in and from what stands behind it."""
    is_article, is_other = float(kind == "article"), float(kind == "other")
    is_text = is_article + is_other
    captions, ends, leads = _next_names(blocks).T
    places, long = np.flatnonzero(theirs), np.flatnonzero(theirs * (words >= _TEXT_WORDS))
    before, after = np.zeros_like(theirs), np.zeros_like(theirs)
    if len(places):
        before[max(0, places[0] - _BEFORE) : places[0]] = 1
    if len(long):
        after[long[-1] + 1 :] = is_text
    before *= words >= _LEAD_WORDS
    either = max(1.0, float(np.maximum(theirs, others) @ words))
    agreement = is_text * float((theirs * others) @ words) / either
    return [
        captions, ends, before * others, leads * before, after,
        is_other, theirs * is_other, others * is_article,
        agreement, agreement * theirs, agreement * others,
    ]  # fmt: skip


def _next_names(blocks: Sequence[Block]) -> Features:
    """Whether an element next to a block is named as each of `_NEXT`: shape [blocks, 3]."""
    known: dict[Any, int] = {}
    rows = np.zeros((len(blocks), len(_NEXT)))
    for row, block in zip(rows, blocks, strict=True):
        bits, element = 0, block.element
        for _ in range(_LEVELS):
            if element is None:
                break
            if element not in known:
                known[element] = _name_bits(
                    element.tag, element.get("class", ""), element.get("id", "")
                )
            bits |= known[element]
            element = element.getparent()
        row[:] = [bits >> place & 1 for place in range(len(_NEXT))]
    return rows


@lru_cache(4096)
def _name_bits(tag: str, classes: str, identifier: str) -> int:
    # The first of many classes say what it is, the others how it looks.
    name = f"{tag}.{classes[:_NAME_CHARACTERS]}#{identifier[:_NAME_CHARACTERS]}"
    return sum((pattern.search(name) is not None) << place for place, pattern in enumerate(_NEXT))


def _chosen(numbers: Collection[int], count: int) -> Features:
    chosen = np.zeros(count)
    chosen[list(numbers)] = 1
    return chosen


def _words(block: Block) -> int:
    return sum(max(line.count(" ") + 1, len(line) // _WORD) for line in block.lines)


def _near(chosen: Features) -> Features:
    """Share of the neighbours up to three blocks away that are chosen."""
    padded = np.pad(chosen, _NEAR)
    count = len(chosen)
    total = sum(padded[start : start + count] for start in range(2 * _NEAR + 1)) - chosen
    return np.asarray(total / (2 * _NEAR))


def _span(chosen: Features) -> Features:
    """1 from the first chosen block to the last."""
    span = np.zeros_like(chosen)
    places = np.flatnonzero(chosen)
    if len(places):
        span[places[0] : places[-1] + 1] = 1
    return span


def _around(blocks: Sequence[Block]) -> NDArray[np.int64]:
    """Bits of the elements and class names around each block."""
    known: dict[Any, int] = {}
    return np.array([_bits(block.element, known) for block in blocks], np.int64)


def _bits(element: Any, known: dict[Any, int]) -> int:
    path = []
    while element is not None and element not in known and element.tag not in ("body", "html"):
        path.append(element)
        element = element.getparent()
    bits = known.get(element, 0)
    for one in reversed(path):
        bits |= _TAG_PLACES.get(one.tag, 0)
        name = f"{one.get('class', '')} {one.get('id', '')}"
        if len(name) > 1:
            for pattern, bit in _NAMED:
                if not bits & bit and pattern.search(name):
                    bits |= bit
        known[one] = bits
    return bits
