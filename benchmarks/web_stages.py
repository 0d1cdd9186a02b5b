"""The stages from an HTML page to its text in one language, as the shipped recipe has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from filters.document import Filter
from filters.extraction import HtmlExtractor
from filters.html import HtmlDecoder
from filters.language import LanguageFilter
from filters.prescreen import LanguagePrescreen
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.recipe import load_recipe
from pipeline.sources.commoncrawl.settings import CommonCrawlSettings


def crawl_settings() -> CommonCrawlSettings:
    """[commoncrawl] of the recipe that ships."""
    return load_recipe(DEFAULT_RECIPE).commoncrawl


def web_stages(model: str | Path, language: str, *, prescreen: bool) -> list[Filter]:
    """Decode, prescreen if wanted, extract, language; opened."""
    settings = crawl_settings()
    languages = (language,)
    stages: list[Filter] = [HtmlDecoder(settings.decode)]
    if prescreen:
        stages.append(LanguagePrescreen(settings.prescreen, model, languages))
    stages += [
        HtmlExtractor(settings.extract),
        LanguageFilter(replace(settings.language, keep=languages), model),
    ]
    for stage in stages:
        stage.open()
    return stages
