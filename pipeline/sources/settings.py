"""Recipe sections of the sources. Each filter's own section is declared beside the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from dedup.decisions import Policy
from filters.bad_words import BadWordSettings
from filters.books import (
    GutenbergSettings,
    LayoutSettings,
    ProseSettings,
    TextDecoderSettings,
)
from filters.c4 import EndMarkSettings, LongWordSettings, PhraseSettings, ShortLineSettings
from filters.c4 import PageSettings as C4PageSettings
from filters.ccnet_text import Mode
from filters.code import (
    CodeDecoderSettings,
    CodePathSettings,
    CodeQualitySettings,
    GeneratedCodeSettings,
    LicenceHeaderSettings,
)
from filters.document import Settings, StageSettings
from filters.extraction import HtmlExtractorSettings
from filters.html import HtmlDecoderSettings
from filters.langdetect import LangdetectSettings
from filters.language import LanguageSettings
from filters.latex import LatexSettings
from filters.length import LengthSettings
from filters.perplexity import PerplexitySettings
from filters.prescreen import PrescreenSettings
from filters.reference_quality import ReferenceQualitySettings
from filters.sentences import SentenceSettings
from filters.stackexchange import QuestionSettings, ScoreSettings
from filters.wikitext import PageSettings, WikitextSettings
from pipeline.deduplication.settings import MethodName
from pipeline.readers.archive_members import ArchiveSettings

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
        slice_bytes: a larger bzip2 dump is cut into slices of about this size.
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


@dataclass(frozen=True, kw_only=True)
class C4Settings(Settings):
    """[c4]: the published C4, or C4's steps in the order of its code.

    Attributes:
        published: JSON Lines are the published C4, to `keep` as it is, or pages to `clean`.
        maximum_line_bytes: longer lines of JSON are rejected unread.
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
        crawl: how a crawl's files are read; HTML becomes text by [commoncrawl]'s settings.
        url: whether one page per URL is kept, by [deduplication.url], before cleaning.
        lines: whether every line is kept on one page only, by [deduplication.lines].
    """

    published: Literal["keep", "clean"]
    maximum_line_bytes: Positive
    deduplicate: tuple[MethodName, ...]
    crawl: CrawlInputSettings
    page: C4PageSettings
    url: StageSettings
    long_words: LongWordSettings
    citation_marks: StageSettings
    end_marks: EndMarkSettings
    short_lines: ShortLineSettings
    lorem_ipsum: PhraseSettings
    javascript: PhraseSettings
    curly_bracket: PhraseSettings
    policy: PhraseSettings
    sentences: SentenceSettings
    lines: StageSettings
    language: LangdetectSettings
    bad_words: BadWordSettings


@dataclass(frozen=True, kw_only=True)
class PostsInputSettings(Settings):
    """[stackexchange.input]: which sites are read, and how.

    Attributes:
        largest: so many sites are read, those with the most bytes of posts.
        sites: host names; if there are any, these sites are read instead.
        maximum_row_bytes: longer rows are rejected without being held.
        maximum_expansion: an archive that decompresses to more than so many times its size is
            rejected.
        join_bytes: posts held in memory while questions meet their answers; what is more goes to a
            temporary file. A larger thread is rejected.
    """

    largest: Positive
    sites: tuple[str, ...]
    maximum_row_bytes: Positive
    maximum_expansion: Positive
    join_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class StackExchangeSettings(Settings):
    """[stackexchange]: threads of the largest sites, answers by score.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: PostsInputSettings
    scores: ScoreSettings
    question: QuestionSettings
    deduplicate: tuple[MethodName, ...]


@dataclass(frozen=True, kw_only=True)
class GithubInputSettings(Settings):
    """[github.input].

    Attributes:
        maximum_row_bytes: longest row of a table, uncompressed.
        slice_bytes: a larger Parquet file is cut at row groups into slices of about this size.
        maximum_file_bytes: larger files of a repository are rejected unread.
        maximum_archive_bytes: so much of an archive is read, decompressed.
    """

    maximum_row_bytes: Positive
    slice_bytes: Positive
    maximum_file_bytes: Positive
    maximum_archive_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class LicenceSettings(Settings):
    """[github.licences].

    Attributes:
        allowed: SPDX identifiers; case does not count, so BigQuery's keys are the same.
        minimum_coverage: a licence file is recognised if licence texts make up this share of it,
            in percent.
    """

    allowed: tuple[str, ...]
    minimum_coverage: Annotated[float, Field(gt=0, le=100)]


@dataclass(frozen=True, kw_only=True)
class GithubSettings(Settings):
    """[github]: which repositories' files are kept, and how code becomes text.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    deduplicate: tuple[MethodName, ...]
    input: GithubInputSettings
    licences: LicenceSettings
    path: CodePathSettings
    decode: CodeDecoderSettings
    generated: GeneratedCodeSettings
    header: LicenceHeaderSettings
    quality: CodeQualitySettings


@dataclass(frozen=True, kw_only=True)
class ArxivInputSettings(Settings):
    """[arxiv.input]: how bulk files are read.

    Attributes:
        maximum_member_bytes: larger submissions, as they are in the tar, are rejected unread.
    """

    maximum_member_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class ArxivSettings(Settings):
    """[arxiv]: which part of a paper stays, and what its macros may do.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: ArxivInputSettings
    latex: LatexSettings
    deduplicate: tuple[MethodName, ...]


@dataclass(frozen=True, kw_only=True)
class BooksInputSettings(ArchiveSettings):
    """[books.input]: how files are read. A text file and a line of JSON count as members.

    Attributes:
        group_files, group_bytes: small files make up a unit together, up to either.
    """

    group_files: Positive
    group_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class BooksSettings(Settings):
    """[books]: what is taken off a book, and what is none.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: BooksInputSettings
    decode: TextDecoderSettings
    gutenberg: GutenbergSettings
    layout: LayoutSettings
    prose: ProseSettings
    length: LengthSettings
    deduplicate: tuple[MethodName, ...]
