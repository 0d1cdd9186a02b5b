"""Where a paper's text begins and ends: sections, abstracts in sections, bibliography, appendix.

The handlers are called where these commands stand in the expanded text; they note the places in
`Marks`, by number of output token.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.document import Settings, setting
from filters.latex.beginning import prose_words
from filters.latex.bibliography import Bibliography
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
_SECTION_ENVIRONMENTS = tuple(f"\\begin{{{name}}}" for name in _SECTION_NAMES.split()[:7])
_APPENDICES = (
    *("\\appendix", "\\appendices", "\\appendixpage"),
    *("\\begin{appendix}", "\\begin{appendices}", "\\begin{subappendices}"),
)
# AMS-TeX, whose titles end in a command; these names mean something else in other papers.
_AMSTEX_SECTIONS = ("\\head", "\\heading", "\\subhead", "\\subheading", "\\specialhead")
# Words: where the first section is behind a text's end, any text before it is the paper.
_BACK_WORDS = 20
# What is needed more where no command says that title and abstract end: they may be in front.
_UNKNOWN_FRONT = 4


@dataclass(frozen=True, kw_only=True)
class StructureSettings(Settings):
    """[arxiv.latex.structure]: what marks the parts of a paper.

    Attributes:
        lead_words: so many words of prose between front matter and first section belong to the
            text; 0 removes everything before the first section, as the paper has it.
        bibliography_titles: a section of exactly this title, in lower case, is the bibliography.
        back_matter_titles: a section whose title begins with one of these is no first section of
            a text that stands before it.
        maximum_files: files a paper may include.
    """

    lead_words: int = setting(
        100, "ours: letters begin before their first section; most front matter ends before it"
    )
    bibliography_titles: tuple[str, ...] = setting(
        ("references", "bibliography", "literature cited", "references and notes"),
        "ours: as papers write them where no command says it",
    )
    back_matter_titles: tuple[str, ...] = setting(
        (
            *(
                "acknowledg",
                "funding",
                "author contribution",
                "contributions",
                "competing interest",
            ),
            *("conflict of interest", "data availability", "code availability", "additional info"),
            *("appendix", "appendices", "supplement", "supporting information"),
            *("supporting material", "methods", "online methods", "extended data"),
        ),
        "ours: as journals call what they print behind the text of a letter",
    )
    maximum_files: int = setting(1000, "measured: real papers have 28 at most (docs/arxiv.md)")


class Sections:
    """The handlers of a paper's parts."""

    def __init__(
        self,
        expander: Expander,
        marks: Marks,
        bibliography: Bibliography,
        settings: StructureSettings,
    ) -> None:
        self._expander = expander
        self._marks = marks
        self._bibliography = bibliography
        self._settings = settings

    def handlers(self, *, is_amstex: bool) -> dict[str, Handler]:
        """What the expander is to call for which token.

        Args:
            is_amstex: whether the paper is AMS-TeX, whose commands have other names.
        """
        handlers: dict[str, Handler] = {
            **dict.fromkeys(SECTIONS, self._section),
            **dict.fromkeys(_SECTION_ENVIRONMENTS, self._section),
            **dict.fromkeys(_APPENDICES, self._appendix),
            "\\beginsection": self._plain_section,
            "\\hypertarget": self._hypertarget,
        }
        if is_amstex:
            handlers |= dict.fromkeys(_AMSTEX_SECTIONS, self._plain_section)
        return handlers

    def beginning(self, out: list[str]) -> tuple[int | None, str]:
        """Where in the whole output the text begins, and what it begins with (`Paper.start`)."""
        marks, settings = self._marks, self._settings
        body = None if marks.body is None else min(marks.body, len(out))
        if marks.front is None:
            return body, "none" if body is None else "section"
        if body is None:
            return marks.front, "front_matter"
        is_behind = marks.back is not None and marks.back <= body
        needed = _BACK_WORDS if is_behind else settings.lead_words
        if not marks.front_is_known and not is_behind:
            needed *= _UNKNOWN_FRONT
        end = body if marks.back is None else min(body, marks.back)
        if settings.lead_words and prose_words(out[marks.front : end]) >= needed:
            return marks.front, "front_matter"
        return body, "section"

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
        marks = self._marks
        in_abstract = marks.abstract is not None and not marks.abstract_is_section
        if title is None or (
            in_abstract and (marks.abstract_is_closed or token in _MINOR_SECTIONS)
        ):
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
        if title == "abstract" and marks.body is None and marks.abstract is None:
            self._begin_abstract()
            return
        if marks.abstract is not None:
            text = join_tokens(out[marks.abstract :])
            marks.abstract_text = marks.abstract_text or text
            marks.abstract, marks.abstract_is_section = None, False
        if title in self._settings.bibliography_titles:
            self._bibliography.begin()
            out.append(token)
            return
        self._bibliography.section(is_minor=token in _MINOR_SECTIONS)
        if title.startswith(self._settings.back_matter_titles):
            marks.back = len(out) if marks.back is None else marks.back
            if title.startswith("acknowledg"):
                out.append(token)
                return
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

    def _appendix(self, token: str) -> None:
        if self._is_apart(token):
            return
        marks = self._marks
        self._bibliography.section(is_minor=False)
        if marks.body is None and marks.back is None:
            marks.back = len(self._expander.out)
        self._expander.out.append(token)


def _as_title(tokens: list[str]) -> str:
    """Words of a title in lower case, without numbers before and commands."""
    words = "".join(part for part in tokens if part[0] != "\\" and part not in "{}")
    return " ".join(words.lower().split()).rstrip(".:").lstrip("0123456789. ")
