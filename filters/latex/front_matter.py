"""What stands before a paper's text: title, authors and abstract, taken out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from filters.latex.beginning import prose_words
from filters.latex.expander import Expander, Handler

_FRONT_ENDS = (
    *("\\maketitle", "\\end{frontmatter}", "\\end{titlepage}", "\\end{keyword}", "\\end{keywords}"),
    *("\\keywords", "\\pacs"),
)
# Of LaTeX, MDPI, ICML and INFORMS.
_TITLES = ("\\title", "\\Title", "\\icmltitle", "\\TITLE")
_AUTHORS = ("\\author", "\\Author", "\\icmlauthor", "\\AUTHOR")
# What only sets type.
_SPACING = re.compile(
    r"\\\\(?:\[[^\]]*\])?|\\[vh]space\*?\{[^{}]*\}"
    r"|\\(?:Huge|huge|LARGE|Large|large|normalsize|centering|newline|linebreak)(?![a-zA-Z])"
)
# Tokens; bounds time: abstracts have some hundreds.
_LONGEST_ABSTRACT = 5000
# Words of text behind which a title is that of another part, a supplement: fewer stand on any page
# of an article, more than in what is put between title and abstract.
_LETTER_WORDS = 200
_NOTES = frozenset(("\\thanks", "\\footnote", "\\footnotemark", "\\footnotetext", "\\titlenote"))


@dataclass
class Marks:
    """Where the parts of a paper begin, as numbers of tokens of the output; None if not reached.

    Attributes:
        begun: whether the document has begun.
        body: the first section of the paper's text.
        back: the first part of what ends a paper (acknowledgements, bibliography, appendix).
        front: where the text begins if there is no section.
        front_is_known: whether title or abstract end there, and not only the preamble.
        front_is_fixed: whether text stands behind it, so that no other title moves it.
        abstract: the beginning of the abstract, while it is being read.
        abstract_is_section: whether that abstract is a section of this title.
        abstract_is_closed: whether the end of that abstract is in sight.
        title, abstract_text, authors: what the front matter says.
    """

    begun: bool = False
    body: int | None = None
    back: int | None = None
    front: int | None = None
    front_is_known: bool = False
    front_is_fixed: bool = False
    abstract: int | None = None
    abstract_is_section: bool = False
    abstract_is_closed: bool = False
    title: str = ""
    abstract_text: str = ""
    authors: list[str] = field(default_factory=list)


class FrontMatter:
    """The handlers of front matter, for one paper."""

    def __init__(self, expander: Expander, marks: Marks) -> None:
        self._expander = expander
        self._marks = marks

    def handlers(self) -> dict[str, Handler]:
        """What the expander is to call for which token."""
        return {
            **dict.fromkeys(_FRONT_ENDS, self._front_end),
            **dict.fromkeys(_TITLES, self._title),
            **dict.fromkeys(_AUTHORS, self._author),
            **dict.fromkeys(("\\abstract", "\\ABSTRACT"), self._abstract_command),
            "\\begin{abstract}": self._begin_abstract,
            "\\end{abstract}": self._end_abstract,
        }

    def _is_over(self, token: str) -> bool:
        """Whether the front matter is behind us, or this is a text for itself: the token stays."""
        marks = self._marks
        if marks.body is None and marks.back is None and self._expander.nesting == 1:
            return False
        self._expander.out.append(token)
        return True

    def _title(self, token: str) -> None:
        if self._is_over(token):
            return
        self._expander.reader.optional()
        title = self._expander.reader.group()
        if title is not None and not self._marks.title:
            self._marks.title = self._plain(title)

    def _author(self, token: str) -> None:
        if self._is_over(token):
            return
        self._expander.reader.optional()
        author = self._expander.reader.group()
        if author is not None and (name := self._plain(author)):
            self._marks.authors.append(name)

    def _plain(self, tokens: list[str]) -> str:
        """An argument as one line of text, without notes."""
        expanded = self._expander.expand(_without_notes(tokens))
        text = _SPACING.sub(" ", "".join(_without_notes(expanded)))
        return " ".join(text.split())

    def _abstract_command(self, token: str) -> None:
        """`\\abstract{...}`, in some classes of up to five groups."""
        if self._is_over(token):
            return
        parts: list[list[str]] = []
        while len(parts) < 5 and (part := self._expander.reader.group()) is not None:
            parts.append(part)
        texts = ["".join(self._expander.expand(part)).strip() for part in parts]
        self._marks.abstract_text = self._marks.abstract_text or " ".join(filter(None, texts))
        self._front_end(token)

    def _begin_abstract(self, token: str) -> None:
        if self._is_over(token):
            return
        marks, reader = self._marks, self._expander.reader
        self._expander.scope.open("{abstract}", self._expander.out)
        marks.abstract = len(self._expander.out)
        ahead = reader.tokens[reader.position : reader.position + _LONGEST_ABSTRACT]
        reader.spent += len(ahead)
        marks.abstract_is_closed = "\\end{abstract}" in ahead

    def _end_abstract(self, token: str) -> None:
        marks, out = self._marks, self._expander.out
        if marks.abstract is None:
            out.append(token)
            return
        marks.abstract_text = marks.abstract_text or "".join(out[marks.abstract :]).strip()
        self._expander.scope.close("{abstract}", out)
        begin, marks.abstract = marks.abstract, None
        self._move_front(begin)

    def _front_end(self, token: str) -> None:
        """Here the front matter may end: what follows is text, if there is no section."""
        if self._is_over(token):
            return
        if token in ("\\keywords", "\\pacs"):
            self._expander.reader.group()
        elif token.startswith("\\end{"):
            self._expander.scope.close(token[len("\\end") :], self._expander.out)
        self._move_front(len(self._expander.out))

    def _move_front(self, begin: int) -> None:
        """The front matter ends here, unless text stands between its end so far and `begin`."""
        marks, out = self._marks, self._expander.out
        if marks.front_is_fixed:
            return
        if marks.front_is_known and not self._is_at_front(out[marks.front or 0 : begin]):
            marks.front_is_fixed = True
            return
        marks.front, marks.front_is_known = len(out), True

    def _is_at_front(self, tokens: list[str]) -> bool:
        """Whether so little text stands in these that the front matter may go on behind them."""
        if len(tokens) > _LONGEST_ABSTRACT:
            return False
        self._expander.reader.spent += len(tokens)
        return prose_words(tokens) < _LETTER_WORDS


def _without_notes(tokens: list[str]) -> list[str]:
    """Tokens without `\\thanks{...}` and other notes."""
    kept: list[str] = []
    level, skipping = 0, -1
    note = False
    for token in tokens:
        if token == "{":
            level += 1
            if note and skipping < 0:
                skipping = level
            note = False
        elif token == "}":
            level -= 1
            if skipping == level + 1:
                skipping = -1
                continue
        elif token in _NOTES:
            note = True
            continue
        if skipping < 0:
            kept.append(token)
    return kept
