"""[wikipedia]."""

from __future__ import annotations

from dataclasses import dataclass, field

from filters.document import Settings, setting
from filters.wikitext import PageSettings, WikitextSettings
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class DumpSettings(Settings):
    """[wikipedia.input]: how dumps are read.

    Attributes:
        maximum_page_bytes: larger pages are rejected without being held.
        slice_bytes: a larger bzip2 dump is cut into slices of about this size.
    """

    maximum_page_bytes: Positive = setting(20_000_000, "ours: MediaWiki stores up to 2 MB a page")
    slice_bytes: Positive = setting(
        50_000_000, "ours: not tuned; several workers can share one file"
    )


@dataclass(frozen=True, kw_only=True)
class WikipediaSettings(SourceSettings):
    """[wikipedia]: which pages are articles, and how wikitext becomes text."""

    input: DumpSettings = field(default_factory=DumpSettings)
    page: PageSettings = field(default_factory=PageSettings)
    wikitext: WikitextSettings = field(default_factory=WikitextSettings)


SECTION = WikipediaSettings
