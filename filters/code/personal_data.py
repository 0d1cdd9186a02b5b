"""Personal data in code: looked for in comments and strings alone; the code still parses."""

from __future__ import annotations

from filters.code.languages import comment_syntax, kind_of
from filters.code.regions import regions
from filters.document import Document, Rejected
from filters.pii import PiiFilter, PiiSettings


class CodePiiFilter:
    """`PiiFilter` over the comments and strings of a file; over all of a page of prose.

    Signals and reasons are those of `PiiFilter`.
    """

    name = "pii"

    def __init__(self, settings: PiiSettings | None = None) -> None:
        self._pii = PiiFilter(settings)
        self.settings = self._pii.settings

    def open(self) -> None:
        """What `PiiFilter` loads."""
        self._pii.open()

    def __call__(self, document: Document) -> Document | Rejected:
        text, language = document.text, document.metadata["programming_language"]
        syntax = comment_syntax(language)
        if kind_of(language) == "prose" or not (syntax.line or syntax.block or syntax.strings):
            return self._pii(document)
        spans = [(one.start, one.end) for one in regions(text, syntax)]
        # One text of all of them: a separator that no rule reads over keeps them apart.
        part = Document(document.id, document.source, _APART.join(text[a:b] for a, b in spans))
        part.metadata, part.signals = document.metadata, document.signals
        found = self._pii(part)
        if isinstance(found, Rejected):
            return found
        kept: list[str] = []
        done = 0
        for (start, end), said in zip(spans, found.text.split(_APART), strict=True):
            kept += [text[done:start], said]
            done = end
        document.text = "".join([*kept, text[done:]]) if spans else text
        return document


_APART = "\n\0\n"
