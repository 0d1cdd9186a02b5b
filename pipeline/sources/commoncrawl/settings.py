"""[commoncrawl]."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator

from dedup.decisions import Policy
from filters.ccnet_text import Mode
from filters.document import Settings, StageSettings, setting
from filters.extraction import HtmlExtractorSettings
from filters.html import HtmlDecoderSettings
from filters.language import LanguageSettings
from filters.length import LengthSettings
from filters.perplexity import PerplexitySettings
from filters.prescreen import PrescreenSettings
from filters.reference_quality import ReferenceQualitySettings
from pipeline.deduplication.sections import MethodName
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


def _one_group(pattern: str) -> str:
    """A regular expression with a group in it, as it is."""
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if groups < 1:
        raise ValueError("the expression needs a group for what it finds")
    return pattern


@dataclass(frozen=True, kw_only=True)
class CrawlInputSettings(Settings):
    """[commoncrawl.input]: which files are read, and how.

    Attributes:
        prefer: of a WARC and the WET made from it, which one is read.
        snapshot_pattern: regular expression; what its first group finds in a file's path names
            the snapshot.
        maximum_record_bytes: larger records are rejected unread.
        title_in_text: whether a WET's first line, the title, stays in the text (CCNet: no).
    """

    prefer: Literal["warc", "wet"] = setting(
        "warc", "ours: extraction from the page itself; CCNet reads WET"
    )
    snapshot_pattern: Annotated[str, AfterValidator(_one_group)] = setting(
        r"(CC-MAIN-\d{4}-\d{2}|[A-Za-z]+-\d{4}-\d{2}(?!\d))",
        "ours: Common Crawl's names, main and news",
    )
    maximum_record_bytes: Positive = setting(
        20_000_000, "ours: Common Crawl itself cuts at a few megabytes"
    )
    title_in_text: bool = setting(False, "code: CCNet's")


@dataclass(frozen=True, kw_only=True)
class ParagraphSettings(StageSettings):
    """[commoncrawl.paragraphs]: paragraph deduplication.

    Attributes:
        scope: what is compared: `group` of consecutive files, `snapshot`, or `all` that is given.
        group_files: files in a group.
        policy: `keep_first` copy, or `remove_all` as cc_net does.
        minimum_words: shorter paragraphs are not compared; code, rows of tables, list items, verse
            and headings never are. In ccnet mode every line is.
        minimum_characters: a document that lost paragraphs and is shorter than this goes; 0 for
            none, as in cc_net.
    """

    scope: Literal["group", "snapshot", "all"] = setting(
        "snapshot", "ours: CCNet compares groups of 50 of 1,600 files"
    )
    group_files: Positive = setting(50, "code: CCNet's hash_in_mem")
    policy: Policy = setting("keep_first", "ours: one copy of a text stays; cc_net removes all")
    minimum_words: Positive = setting(
        10, "measured: of 3,090 lines gone from 1,438 pages 125 had as many (docs/ccnet.md)"
    )
    minimum_characters: int = setting(
        300, "ours: CCNet's minimum once more; cc_net does not ask again"
    )


@dataclass(frozen=True, kw_only=True)
class CommonCrawlSettings(SourceSettings):
    """[commoncrawl]: CCNet's steps in CCNet's order, then LLaMA's reference classifier.

    Attributes:
        mode: `ccnet` reproduces the decisions of cc_net's code on text; recipes/ccnet.toml has the
            settings that go with it.
    """

    mode: Mode = setting("standard", "ours: without cc_net's quirks (docs/ccnet.md)")
    input: CrawlInputSettings = field(default_factory=CrawlInputSettings)
    decode: HtmlDecoderSettings = field(default_factory=HtmlDecoderSettings)
    prescreen: PrescreenSettings = field(default_factory=PrescreenSettings)
    extract: HtmlExtractorSettings = field(default_factory=HtmlExtractorSettings)
    length: LengthSettings = field(default_factory=LengthSettings)
    paragraphs: ParagraphSettings = field(default_factory=ParagraphSettings)
    language: LanguageSettings = field(default_factory=LanguageSettings)
    perplexity: PerplexitySettings = field(default_factory=PerplexitySettings)
    reference_quality: ReferenceQualitySettings = field(default_factory=ReferenceQualitySettings)
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none beside CCNet's")


SECTION = CommonCrawlSettings
