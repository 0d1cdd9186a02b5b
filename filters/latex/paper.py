"""The filter of arXiv papers: a submission's bytes to the text of the paper (arXiv 2302.13971)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from filters.document import Document, Rejected, StageSettings, setting
from filters.latex.bibliography import MARK
from filters.latex.charset import decode_files
from filters.latex.expander import ExpansionLimitError, ExpansionSettings
from filters.latex.main_file import choose_main_file
from filters.latex.project import ProjectSettings, unpack
from filters.latex.sections import StructureSettings
from filters.latex.structure import Paper, PaperReader
from filters.latex.tidy import join_tokens, take_out_marks

_WITHDRAWN = re.compile(
    r"\bth(?:is|e) (?:paper|article|submission|manuscript|preprint|work) (?:has been|is|was)"
    r"(?: (?:temporarily|now|hereby))? (?:withdrawn|retracted)",
    re.IGNORECASE,
)
# Characters; a notice that a paper is withdrawn says little else.
_LONGEST_NOTICE = 1500


@dataclass(frozen=True, kw_only=True)
class LatexSettings(StageSettings):
    """[arxiv.latex]: from submission to text.

    Attributes:
        without_section: papers in which no section begins: `reject`, or keep what follows the
            `front_matter`.
        minimum_characters: shorter texts are rejected.
    """

    without_section: Literal["reject", "front_matter"] = setting(
        "front_matter", "ours: letters in physics have no section; `reject` is RedPajama v1's rule"
    )
    minimum_characters: int = setting(200, "ours: less is a notice of withdrawal, not a paper")
    project: ProjectSettings = field(default_factory=ProjectSettings)
    expansion: ExpansionSettings = field(default_factory=ExpansionSettings)
    structure: StructureSettings = field(default_factory=StructureSettings)


class LatexCleaner:
    """Submission (raw bytes) to LaTeX text from the first section on, macros expanded."""

    name = "latex"

    def __init__(self, settings: LatexSettings | None = None) -> None:
        self._settings = settings or LatexSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        """Fill in the text; title, authors and abstract go to the metadata."""
        settings = self._settings
        unpacked = unpack(document.raw, settings.project)
        if isinstance(unpacked, Rejected):
            return unpacked
        decoded = decode_files(unpacked)
        main_file = choose_main_file(decoded.files)
        if main_file is None:
            return Rejected("no_tex_file")
        reader = PaperReader(decoded.files, settings.structure, settings.expansion)
        try:
            paper = reader.read(main_file)
        except ExpansionLimitError as problem:
            return Rejected("expansion_too_large", str(problem))
        text, places = take_out_marks(join_tokens(paper.tokens), MARK)
        document.signals.update(
            start=paper.start,
            tex_files=len(paper.included),
            source_characters=sum(len(decoded.files[name]) for name in paper.included),
            macros_defined=len(paper.defined),
            macros_left=sorted(paper.left),
            missing_files=len(paper.missing),
            encoding_assumed=not decoded.assumed.isdisjoint(paper.included),
            bibliography_characters=paper.muted_characters,
            bibliographies_at=places,
        )
        document.metadata.update(
            title=paper.title or None,
            abstract=paper.abstract or None,
            authors=paper.authors,
            main_file=main_file,
        )
        wrong = self._refused(paper, text, decoded.unknown.intersection(paper.included))
        if wrong is not None:
            return wrong
        document.text = text
        document.raw = b""
        return document

    def _refused(self, paper: Paper, text: str, unknown: set[str]) -> Rejected | None:
        """Why a paper that was read is not kept."""
        settings = self._settings
        if unknown:
            return Rejected("unknown_encoding", " ".join(sorted(unknown)[:5]))
        reject = settings.without_section == "reject"
        if paper.start == "none" or (reject and not paper.has_section):
            return Rejected("no_section", paper.included[0])
        if len(text) < _LONGEST_NOTICE and _WITHDRAWN.search(f"{text} {paper.abstract}"):
            return Rejected("withdrawn", " ".join(text.split())[:200])
        if len(text) < settings.minimum_characters:
            return Rejected("too_short", f"{len(text)} characters, start: {paper.start}")
        return None
