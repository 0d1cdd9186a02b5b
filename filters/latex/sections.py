"""Where a paper's text begins and ends: sections, abstracts in sections, bibliography, appendix.

The handlers are called where these commands stand in the expanded text; they note the places in
`Marks`, by number of output token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from filters.document import Settings, setting
from filters.latex.balance import Opened, closers
from filters.latex.expander import Expander, Handler
from filters.latex.front_matter import Marks
from filters.latex.tidy import join_tokens

_SECTION_NAMES = """
    part chapter section subsection subsubsection paragraph subparagraph addpart addchap addsec
    newsec
"""
SECTIONS = tuple("\\" + name for name in _SECTION_NAMES.split())
# An abstract may have these; any other section ends an abstract that was never closed.
_MINOR_SECTIONS = ("\\paragraph", "\\subparagraph", "\\subsubsection", "\\subsection")
_BIBLIOGRAPHY_ENVIRONMENTS = (
    *("thebibliography", "references", "REFERENCES", "chapthebibliography", "bibdiv", "biblist"),
)
_BIBLIOGRAPHIES = (
    *("\\bibliography", "\\printbibliography", "\\printreferences", "\\References", "\\putbib"),
    *("\\bibitem", "\\bibinput"),
    *(f"\\begin{{{name}}}" for name in _BIBLIOGRAPHY_ENVIRONMENTS),
)
_APPENDICES = (
    *("\\appendix", "\\appendices", "\\appendixpage"),
    *("\\begin{appendix}", "\\begin{appendices}", "\\begin{subappendices}"),
)
# AMS-TeX, whose titles end in a command; these names mean something else in other papers.
_AMSTEX_SECTIONS = ("\\head", "\\heading", "\\subhead", "\\subheading", "\\specialhead")
# Removed with their argument.
_GONE_WITH_ARGUMENT = ("\\bibliographystyle", "\\nocite", "\\addbibresource")

# What only leads up to a bibliography: type, spacing, page breaks, groups and boxes opened for it.
_LEADS_UP = re.compile(
    r"(?:\s|(?<!\\)\{|\\(?:tiny|scriptsize|footnotesize|small|normalsize|begingroup|bgroup|newpage"
    r"|clearpage|cleardoublepage|pagebreak|raggedright|sloppy|vfill|bigskip|medskip|smallskip"
    r"|balance|onecolumn|twocolumn|frenchspacing|singlespacing|phantomsection)(?![a-zA-Z])"
    r"|\\addcontentsline(?:\s*\{[^{}]*\}){3}|\\[vh]space\*?\{[^{}]*\}"
    r"|\\(?:setlength|addtolength)\s*\{?\\\w+\}?\s*\{[^{}]*\}"
    r"|\\begin\{(?:tiny|scriptsize|footnotesize|small|center|flushleft|multicols|spacing"
    r"|singlespace|singlespacing|onehalfspace)\}(?:\{[^{}]*\})?)+\Z"
)
_HEADING = re.compile(
    r"(?<=\n)[ \t]*(?:\\(?:centerline|noindent|leftline|text(?:bf|sc)|(?:begin|end)\{center\}"
    r"|[lL]arge|LARGE|bf|sc|rm|bfseries|normalsize|section\*?)(?![a-zA-Z])|[{}\s])*"
    r"([a-zA-Z][a-zA-Z \t]{8,30}[a-zA-Z])[.:]?(?:\\end\{center\}|\\\\|\\par(?![a-zA-Z])|[}\s])*\Z"
)
# Characters; bounds time: what is dropped in front of a bibliography is a heading and spacing.
_LOOK_BACK = 400
_MARKUP = re.compile(r"\\(?:begin|end)\{[^{}]*\}|\\[a-zA-Z]+\*?|[{}\\]")


@dataclass(frozen=True, kw_only=True)
class StructureSettings(Settings):
    """[arxiv.latex.structure]: what marks the parts of a paper.

    Attributes:
        bibliography_titles: a section of exactly this title, in lower case, is the bibliography.
        appendix_titles: after the bibliography, a section brings the text back, as `\\appendix`
            does, if its title or a line that stands before it begins with one of these.
        maximum_files: files a paper may include.
    """

    bibliography_titles: tuple[str, ...] = setting(
        ("references", "bibliography", "literature cited", "references and notes"),
        "ours: as papers write them where no command says it",
    )
    appendix_titles: tuple[str, ...] = setting(
        (
            "appendix",
            "appendices",
            "supplement",
            "supporting information",
            "supporting material",
            "methods",
            "online methods",
            "extended data",
        ),
        "ours: as journals call what they print behind the bibliography",
    )
    maximum_files: int = setting(1000, "measured: real papers have 28 at most (docs/arxiv.md)")


class Sections:
    """The handlers of a paper's parts.

    Attributes:
        opened: what was cut off that a later part of the text closes.
    """

    def __init__(self, expander: Expander, marks: Marks, settings: StructureSettings) -> None:
        self._expander = expander
        self._marks = marks
        self._settings = settings
        self.opened: Opened = Opened()

    def register(self, *, is_amstex: bool) -> None:
        """Have the expander call the handlers.

        Args:
            is_amstex: whether the paper is AMS-TeX, whose commands have other names.
        """
        handlers: dict[str, Handler] = {
            **dict.fromkeys(SECTIONS, self._section),
            **dict.fromkeys(_BIBLIOGRAPHIES, self._bibliography),
            **dict.fromkeys(
                (f"\\end{{{name}}}" for name in _BIBLIOGRAPHY_ENVIRONMENTS), self._bibliography_end
            ),
            **dict.fromkeys(_APPENDICES, self._appendix),
            **dict.fromkeys(_GONE_WITH_ARGUMENT, self._gone_with_argument),
            "\\beginsection": self._plain_section,
            "\\hypertarget": self._hypertarget,
        }
        if is_amstex:
            handlers |= dict.fromkeys(_AMSTEX_SECTIONS, self._plain_section)
            handlers["\\Refs"] = self._bibliography
        self._expander.reserve(handlers)

    def _is_apart(self, token: str) -> bool:
        """Whether this is a text for itself (a title, a style file): the token stays."""
        if self._expander.nesting == 1:
            return False
        self._expander.out.append(token)
        return True

    def _section(self, token: str) -> None:
        if self._is_apart(token):
            return
        title = self._following_title()
        in_abstract = self._marks.abstract is not None and not self._marks.abstract_is_section
        if title is None or (in_abstract and token in _MINOR_SECTIONS):
            self._expander.out.append(token)
            return
        self._begin_section(token, title)

    def _plain_section(self, token: str) -> None:
        """Plain TeX's `\\beginsection Title`; AMS-TeX's `\\head Title\\endhead`."""
        if self._is_apart(token):
            return
        words = self._expander.reader.peek().strip().partition("\n\n")[0]
        self._begin_section(token, _as_title([words]))

    def _begin_section(self, token: str, title: str) -> None:
        marks, out = self._marks, self._expander.out
        if title in self._settings.bibliography_titles:
            self._bibliography(token)
            return
        if title == "abstract" and marks.body is None and marks.abstract is None:
            self._begin_abstract()
            return
        if marks.muted is not None and (
            marks.body is None
            or marks.in_appendix
            or title.startswith(self._settings.appendix_titles)
            or self._is_announced()
        ):
            self._resume()
        if marks.abstract is not None:
            text = join_tokens(out[marks.abstract :])
            marks.abstract_text = marks.abstract_text or text
            marks.abstract, marks.abstract_is_section = None, False
        if marks.body is None:
            marks.body = len(out)
        out.append(token)

    def _following_title(self) -> str | None:
        """The title of a section, in lower case, without reading it; None if there is none."""
        reader = self._expander.reader
        snapshot = reader.snapshot()
        reader.skip_text("*")
        reader.optional()
        title = reader.group()
        reader.restore(snapshot)
        return None if title is None else _as_title(title)

    def _begin_abstract(self) -> None:
        """`\\section*{Abstract}`: the paper begins at the section that follows."""
        reader, marks = self._expander.reader, self._marks
        reader.skip_text("*")
        reader.optional()
        reader.group()
        marks.front = marks.abstract = len(self._expander.out)
        marks.abstract_is_section = True

    def _hypertarget(self, token: str) -> None:
        """Pandoc writes every section as `\\hypertarget{name}{\\section{...}\\label{name}}`."""
        reader = self._expander.reader
        snapshot = reader.snapshot()
        name, content = reader.group(), reader.group()
        first = next((part for part in content or () if part.strip()), "")
        if name is None or first not in SECTIONS:
            reader.restore(snapshot)
            self._expander.out.append(token)
        else:
            reader.push(content or [], reader.depth)

    # The bibliography, and what comes after it.

    def _bibliography(self, token: str) -> None:
        """From here on nothing is kept, until an appendix."""
        if self._is_apart(token):
            return
        marks = self._marks
        if marks.begun and marks.muted is None:
            self._drop_what_leads_up()
            marks.muted = marks.bibliography_end = len(self._expander.out)
        elif not marks.begun:
            self._expander.reader.group()

    def _bibliography_end(self, token: str) -> None:
        self._marks.bibliography_end = len(self._expander.out)

    def _drop_what_leads_up(self) -> None:
        """Take the bibliography's heading, and the type and groups set for it, off the text."""
        self._drop_tail(_LEADS_UP)
        tail = self._tail()
        heading = _HEADING.search(tail)
        if heading is None or heading[1].strip().lower() not in self._settings.bibliography_titles:
            return
        if heading[0].count("{") >= heading[0].count("}"):
            self._drop_tail(_HEADING)
            self._drop_tail(_LEADS_UP)

    def _tail(self) -> str:
        # Bounds time: headings and spacing of `_LOOK_BACK` characters have fewer tokens than sixty.
        start = max(self._marks.body or self._marks.front or 0, len(self._expander.out) - 60)
        return "".join(self._expander.out[start:])[-_LOOK_BACK:]

    def _drop_tail(self, pattern: re.Pattern[str]) -> None:
        match = pattern.search(self._tail())
        if match is None or not match[0].strip():
            return
        out, size = self._expander.out, len(match[0])
        dropped: list[str] = []
        while size > 0:
            token = out.pop()
            if len(token) > size:
                out.append(token[:-size])
                token = token[-size:]
            size -= len(token)
            dropped.append(token)
        self.opened.add(reversed(dropped))

    def _is_announced(self) -> bool:
        """Whether a line behind the bibliography says that a supplement follows."""
        # Bounds time: the line stands between the bibliography and the first page behind it.
        text = "".join(self._expander.out[self._marks.bibliography_end or 0 :])[:2000]
        lines = _MARKUP.sub(" ", text).lower().splitlines()
        return any(line.strip().startswith(self._settings.appendix_titles) for line in lines)

    def _appendix(self, token: str) -> None:
        if self._is_apart(token):
            return
        self._marks.in_appendix = True
        if self._marks.muted is not None:
            self._resume()
        self._expander.out.append(token)

    def _resume(self) -> None:
        self.unmute(self._expander.out)
        self._expander.out.append("\n\n")

    def unmute(self, out: list[str]) -> None:
        """Drop what was read since the bibliography began, but for what closes earlier groups."""
        muted = self._marks.muted
        if muted is not None:
            out[muted:] = closers(out[muted:])
            self._marks.muted = self._marks.bibliography_end = None

    def _gone_with_argument(self, token: str) -> None:
        self._expander.reader.optional()
        self._expander.reader.group()
        self._expander.end_removal()


def _as_title(tokens: list[str]) -> str:
    """Words of a title in lower case, without numbers before and commands."""
    words = "".join(part for part in tokens if part[0] != "\\" and part not in "{}")
    return " ".join(words.lower().split()).rstrip(".:").lstrip("0123456789. ")
