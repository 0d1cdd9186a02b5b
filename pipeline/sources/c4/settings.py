"""[c4]."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from filters.bad_words import BadWordSettings
from filters.c4 import (
    CurlyBracketSettings,
    EndMarkSettings,
    JavascriptSettings,
    LongWordSettings,
    LoremIpsumSettings,
    PolicySettings,
    ShortLineSettings,
)
from filters.c4 import PageSettings as C4PageSettings
from filters.document import StageSettings, setting
from filters.langdetect import LangdetectSettings
from filters.sentences import SentenceSettings
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings
from pipeline.sources.commoncrawl.settings import CrawlInputSettings


@dataclass(frozen=True, kw_only=True)
class C4CrawlSettings(CrawlInputSettings):
    """[c4.crawl]: the same, as C4's code reads a crawl."""

    prefer: Literal["warc", "wet"] = setting("wet", "code: C4's")
    title_in_text: bool = setting(True, "code: C4's")


@dataclass(frozen=True, kw_only=True)
class C4Settings(SourceSettings):
    """[c4]: the published C4, or C4's steps in the order of its code.

    Attributes:
        published: JSON Lines are the published C4, to `keep` as it is, or pages to `clean`.
        maximum_line_bytes: longer lines of JSON are rejected unread.
        crawl: how a crawl's files are read; HTML becomes text by [commoncrawl]'s settings.
        url: whether one page per URL is kept, by [deduplication.url], before cleaning.
        lines: whether every line is kept on one page only, by [deduplication.lines].
    """

    published: Literal["keep", "clean"] = setting(
        "keep", "paper: LLaMA takes C4 as it is published"
    )
    maximum_line_bytes: Positive = setting(
        20_000_000, "ours: C4's pages have 190,000 characters at most"
    )
    crawl: C4CrawlSettings = field(default_factory=C4CrawlSettings)
    page: C4PageSettings = field(default_factory=C4PageSettings)
    url: StageSettings = field(default_factory=StageSettings)
    long_words: LongWordSettings = field(default_factory=LongWordSettings)
    citation_marks: StageSettings = field(default_factory=StageSettings)
    end_marks: EndMarkSettings = field(default_factory=EndMarkSettings)
    short_lines: ShortLineSettings = field(default_factory=ShortLineSettings)
    lorem_ipsum: LoremIpsumSettings = field(default_factory=LoremIpsumSettings)
    javascript: JavascriptSettings = field(default_factory=JavascriptSettings)
    curly_bracket: CurlyBracketSettings = field(default_factory=CurlyBracketSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    sentences: SentenceSettings = field(default_factory=SentenceSettings)
    lines: StageSettings = field(default_factory=StageSettings)
    language: LangdetectSettings = field(default_factory=LangdetectSettings)
    bad_words: BadWordSettings = field(default_factory=BadWordSettings)


SECTION = C4Settings
