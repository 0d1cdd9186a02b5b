"""Recipe sections of the sources. Each filter's own section is declared beside the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from dedup.decisions import Policy
from filters.ccnet_text import Mode
from filters.document import Settings, StageSettings
from filters.extraction import HtmlExtractorSettings
from filters.html import HtmlDecoderSettings
from filters.language import LanguageSettings
from filters.length import LengthSettings
from filters.perplexity import PerplexitySettings
from filters.prescreen import PrescreenSettings
from filters.reference_quality import ReferenceQualitySettings
from filters.wikitext import PageSettings, WikitextSettings
from pipeline.deduplication.settings import MethodName

Positive: TypeAlias = Annotated[int, Field(gt=0)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


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
class DumpSettings(Settings):
    """[wikipedia.input]: how dumps are read.

    Attributes:
        maximum_page_bytes: larger pages are rejected without being held.
        slice_bytes: a multistream dump with its index is cut into slices of about this size.
    """

    maximum_page_bytes: Positive
    slice_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class WikipediaSettings(Settings):
    """[wikipedia]: which pages are articles, and how wikitext becomes text.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: DumpSettings
    page: PageSettings
    wikitext: WikitextSettings
    deduplicate: tuple[MethodName, ...]


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

    prefer: Literal["warc", "wet"]
    snapshot_pattern: Annotated[str, AfterValidator(_one_group)]
    maximum_record_bytes: Positive
    title_in_text: bool


@dataclass(frozen=True, kw_only=True)
class ParagraphSettings(StageSettings):
    """[commoncrawl.paragraphs]: paragraph deduplication.

    Attributes:
        scope: what is compared: `group` of consecutive files, `snapshot`, or `all` that is given.
        group_files: files in a group.
        policy: `keep_first` copy, or `remove_all` as cc_net does.
        minimum_characters: a document that lost paragraphs and is shorter than this goes; 0 for
            none, as in cc_net.
    """

    scope: Literal["group", "snapshot", "all"]
    group_files: Positive
    policy: Policy
    minimum_characters: int


@dataclass(frozen=True, kw_only=True)
class CommonCrawlSettings(Settings):
    """[commoncrawl]: CCNet's steps in CCNet's order, then LLaMA's reference classifier.

    Attributes:
        mode: `ccnet` reproduces the decisions of cc_net's code on text; recipes/ccnet.toml has the
            settings that go with it.
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    mode: Mode
    input: CrawlInputSettings
    decode: HtmlDecoderSettings
    prescreen: PrescreenSettings
    extract: HtmlExtractorSettings
    length: LengthSettings
    paragraphs: ParagraphSettings
    language: LanguageSettings
    perplexity: PerplexitySettings
    reference_quality: ReferenceQualitySettings
    deduplicate: tuple[MethodName, ...]
