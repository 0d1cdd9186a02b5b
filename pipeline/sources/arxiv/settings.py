"""[arxiv]."""

from __future__ import annotations

from dataclasses import dataclass, field

from filters.document import Settings, setting
from filters.latex import LatexSettings
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class ArxivInputSettings(Settings):
    """[arxiv.input]: how bulk files are read.

    Attributes:
        maximum_member_bytes: larger submissions, as they are in the tar, are rejected unread.
    """

    maximum_member_bytes: Positive = setting(100_000_000, "ours: arXiv asks for 50 MB at most")


@dataclass(frozen=True, kw_only=True)
class ArxivSettings(SourceSettings):
    """[arxiv]: which part of a paper stays, and what its macros may do."""

    input: ArxivInputSettings = field(default_factory=ArxivInputSettings)
    latex: LatexSettings = field(default_factory=LatexSettings)


SECTION = ArxivSettings
