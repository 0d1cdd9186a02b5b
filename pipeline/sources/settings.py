"""Recipe sections of the sources. Each filter's own section is declared beside the filter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
from filters.ccnet_text import Mode
from filters.code import (
    CodeDecoderSettings,
    CodePathSettings,
    CodeQualitySettings,
    GeneratedCodeSettings,
    LicenceHeaderSettings,
)
from filters.code.licence_names import PERMISSIVE
from filters.document import Settings, StageSettings, setting
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
from pipeline.deduplication.sections import MethodName
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

    maximum_page_bytes: Positive = setting(20_000_000, "ours: MediaWiki stores up to 2 MB a page")
    slice_bytes: Positive = setting(
        50_000_000, "ours: not tuned; several workers can share one file"
    )


@dataclass(frozen=True, kw_only=True)
class WikipediaSettings(Settings):
    """[wikipedia]: which pages are articles, and how wikitext becomes text.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: DumpSettings = field(default_factory=DumpSettings)
    page: PageSettings = field(default_factory=PageSettings)
    wikitext: WikitextSettings = field(default_factory=WikitextSettings)
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none")


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
class C4CrawlSettings(CrawlInputSettings):
    """[c4.crawl]: the same, as C4's code reads a crawl."""

    prefer: Literal["warc", "wet"] = setting("wet", "code: C4's")
    title_in_text: bool = setting(True, "code: C4's")


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

    scope: Literal["group", "snapshot", "all"] = setting(
        "snapshot", "ours: CCNet compares groups of 50 of 1,600 files"
    )
    group_files: Positive = setting(50, "code: CCNet's hash_in_mem")
    policy: Policy = setting("keep_first", "ours: one copy of a text stays; cc_net removes all")
    minimum_characters: int = setting(
        300, "ours: CCNet's minimum once more; cc_net does not ask again"
    )


@dataclass(frozen=True, kw_only=True)
class CommonCrawlSettings(Settings):
    """[commoncrawl]: CCNet's steps in CCNet's order, then LLaMA's reference classifier.

    Attributes:
        mode: `ccnet` reproduces the decisions of cc_net's code on text; recipes/ccnet.toml has the
            settings that go with it.
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
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

    published: Literal["keep", "clean"] = setting(
        "keep", "paper: LLaMA takes C4 as it is published"
    )
    maximum_line_bytes: Positive = setting(
        20_000_000, "ours: C4's pages have 190,000 characters at most"
    )
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none")
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

    largest: Positive = setting(
        28, "paper: LLaMA, the 28 largest; by bytes of posts (docs/stackexchange.md)"
    )
    sites: tuple[str, ...] = ()
    maximum_row_bytes: Positive = setting(4_000_000, "ours: posts have 30,000 characters at most")
    maximum_expansion: Positive = setting(
        200, "ours: posts are packed to a tenth or so; more is a bomb"
    )
    join_bytes: Positive = setting(67_108_864, "ours: bounds memory; what is more goes to a file")


@dataclass(frozen=True, kw_only=True)
class StackExchangeSettings(Settings):
    """[stackexchange]: threads of the largest sites, answers by score.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: PostsInputSettings = field(default_factory=PostsInputSettings)
    scores: ScoreSettings = field(default_factory=ScoreSettings)
    question: QuestionSettings = field(default_factory=QuestionSettings)
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none")


@dataclass(frozen=True, kw_only=True)
class GithubInputSettings(Settings):
    """[github.input].

    Attributes:
        maximum_row_bytes: longest row of a table, uncompressed.
        slice_bytes: a larger Parquet file is cut at row groups into slices of about this size.
        maximum_file_bytes: larger files of a repository are rejected unread.
        maximum_archive_bytes: so much of an archive is read, decompressed.
    """

    maximum_row_bytes: Positive = setting(
        16_777_216, "ours: a file of 1 MiB is at most 6 MiB of JSON"
    )
    slice_bytes: Positive = setting(
        200_000_000, "ours: not tuned; several workers can share one file"
    )
    maximum_file_bytes: Positive = setting(
        1_048_576, "ours: BigQuery has no content of larger files"
    )
    maximum_archive_bytes: Positive = setting(
        10_000_000_000, "ours: bounds an archive that never ends"
    )


@dataclass(frozen=True, kw_only=True)
class LicenceSettings(Settings):
    """[github.licences].

    Attributes:
        allowed: SPDX identifiers; case does not count, so BigQuery's keys are the same.
        minimum_coverage: a licence file is recognised if licence texts make up this share of it,
            in percent.
    """

    allowed: tuple[str, ...] = setting(
        PERMISSIVE, "paper: LLaMA, Apache, BSD and MIT; docs/github.md says why these"
    )
    minimum_coverage: Annotated[float, Field(gt=0, le=100)] = setting(75.0, "code: licensecheck's")


@dataclass(frozen=True, kw_only=True)
class GithubSettings(Settings):
    """[github]: which repositories' files are kept, and how code becomes text.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    deduplicate: tuple[MethodName, ...] = setting(
        ("digest",), "paper: LLaMA, equal files, before cleaning"
    )
    input: GithubInputSettings = field(default_factory=GithubInputSettings)
    licences: LicenceSettings = field(default_factory=LicenceSettings)
    path: CodePathSettings = field(default_factory=CodePathSettings)
    decode: CodeDecoderSettings = field(default_factory=CodeDecoderSettings)
    generated: GeneratedCodeSettings = field(default_factory=GeneratedCodeSettings)
    header: LicenceHeaderSettings = field(default_factory=LicenceHeaderSettings)
    quality: CodeQualitySettings = field(default_factory=CodeQualitySettings)


@dataclass(frozen=True, kw_only=True)
class ArxivInputSettings(Settings):
    """[arxiv.input]: how bulk files are read.

    Attributes:
        maximum_member_bytes: larger submissions, as they are in the tar, are rejected unread.
    """

    maximum_member_bytes: Positive = setting(100_000_000, "ours: arXiv asks for 50 MB at most")


@dataclass(frozen=True, kw_only=True)
class ArxivSettings(Settings):
    """[arxiv]: which part of a paper stays, and what its macros may do.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: ArxivInputSettings = field(default_factory=ArxivInputSettings)
    latex: LatexSettings = field(default_factory=LatexSettings)
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none")


@dataclass(frozen=True, kw_only=True)
class BooksInputSettings(ArchiveSettings):
    """[books.input]: how files are read. A text file and a line of JSON count as members.

    Attributes:
        group_files, group_bytes: small files make up a unit together, up to either.
    """

    group_files: Positive = setting(
        500, "ours: files opened for one unit; group_bytes bounds their text"
    )
    group_bytes: Positive = setting(
        32_000_000, "ours: a unit is 8 s of work, at 0.24 s a megabyte (docs/books.md)"
    )


@dataclass(frozen=True, kw_only=True)
class BookLengthSettings(LengthSettings):
    """[books.length]: bounds on a book, in characters."""

    minimum_characters: int = setting(1000, "ours: shorter are stubs of recordings and pictures")
    maximum_characters: int = setting(0, "ours: no bound; the longest works are books, too")


@dataclass(frozen=True, kw_only=True)
class BooksSettings(Settings):
    """[books]: what is taken off a book, and what is none.

    Attributes:
        deduplicate: methods of [deduplication] that the finished documents go through, in order.
    """

    input: BooksInputSettings = field(default_factory=BooksInputSettings)
    decode: TextDecoderSettings = field(default_factory=TextDecoderSettings)
    gutenberg: GutenbergSettings = field(default_factory=GutenbergSettings)
    layout: LayoutSettings = field(default_factory=LayoutSettings)
    prose: ProseSettings = field(default_factory=ProseSettings)
    length: BookLengthSettings = field(default_factory=BookLengthSettings)
    deduplicate: tuple[MethodName, ...] = setting(
        ("overlap",), "paper: LLaMA, books with more than 90 % content overlap go"
    )
