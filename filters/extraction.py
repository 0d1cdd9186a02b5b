"""HTML pages to the text of their article, with trafilatura (Barbaresi 2021).

trafilatura's fast mode runs first. Where it finds much less than Resiliparse's cheap rules do, it
missed the article, and the full mode (which consults two more extractors) runs as well: F1 on
labelled pages is higher than full mode's on all, at two thirds of its cost (docs/warc.md).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from html import unescape
from typing import Any

import trafilatura
from lxml import etree
from lxml import html as lxml_html
from trafilatura.settings import Extractor

from filters.document import Document, Rejected, StageSettings
from filters.prescreen import main_content

# libxml2 cuts what is nested deeper than 256.
MAXIMUM_DEPTH = 250
_TITLE = re.compile(r"<title\b[^<>]{0,500}>([^<]{1,2000})", re.IGNORECASE)
_TOO_DEEP = etree.XPath(f"boolean({'/*' * MAXIMUM_DEPTH})")
_COUNT = etree.XPath("count(//*)")
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class HtmlExtractorSettings(StageSettings):
    """What is extracted.

    Attributes:
        maximum_characters: longest page.
        maximum_elements: most elements of a page.
        short_characters: text shorter than this is compared with the cheap rules' text.
        minimum_share: of the cheap rules' length; below it full mode runs.
    """

    maximum_characters: int
    maximum_elements: int
    short_characters: int
    minimum_share: float
