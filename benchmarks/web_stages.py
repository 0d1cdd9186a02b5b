"""The stages from an HTML page to its text in one language, as the benchmarks of them run them."""

from __future__ import annotations

from pathlib import Path

from filters.document import Filter
from filters.extraction import HtmlExtractor, HtmlExtractorSettings
from filters.html import HtmlDecoder, HtmlDecoderSettings
from filters.language import LanguageFilter, LanguageSettings
from filters.prescreen import LanguagePrescreen, PrescreenSettings

DECODER = HtmlDecoderSettings(
    enabled=True,
    maximum_bytes=20_000_000,
    maximum_control_share=0.02,
    maximum_undecodable_share=0.02,
    maximum_depth=5000,
    maximum_attributes=10_000,
)
EXTRACTOR = HtmlExtractorSettings(
    enabled=True,
    maximum_characters=5_000_000,
    maximum_tags=100_000,
    short_characters=2000,
    minimum_share=0.3,
)


def prescreen_settings() -> PrescreenSettings:
    return PrescreenSettings(
        enabled=True,
        sample_characters=500,
        paragraph_characters=300,
        reject_probability=0.01,
        accept_probability=0.5,
        main_characters=50,
        minimum_probability=0.1,
    )


def language_settings(languages: tuple[str, ...]) -> LanguageSettings:
    return LanguageSettings(
        enabled=True,
        keep=languages,
        minimum_score=0.5,
        characters=500,
        certain_score=0.9,
        doubtful_characters=2000,
    )


def web_stages(model: str | Path, language: str, *, prescreen: bool) -> list[Filter]:
    """Decode, prescreen if wanted, extract, language; opened."""
    languages = (language,)
    stages: list[Filter] = [HtmlDecoder(DECODER)]
    if prescreen:
        stages.append(LanguagePrescreen(prescreen_settings(), model, languages))
    stages += [HtmlExtractor(EXTRACTOR), LanguageFilter(language_settings(languages), model)]
    for stage in stages:
        stage.open()
    return stages
