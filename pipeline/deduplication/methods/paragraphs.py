"""Paragraphs (lines) that CCNet takes for equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from dedup.paragraph_hashes import BLANK_KEY, paragraph_keys
from filters.document import setting
from pipeline.deduplication.methods import Method
from pipeline.deduplication.methods.lines import LineKeys, LineSettings, decide


@dataclass(frozen=True, kw_only=True)
class CcnetParagraphSettings(LineSettings):
    """[deduplication.paragraphs]: CCNet's paragraphs."""

    minimum_characters: Annotated[int, Field(ge=0)] = setting(
        300, "ours: CCNet's minimum once more; cc_net does not ask again"
    )


def make_keys(_: CcnetParagraphSettings) -> LineKeys:
    """Keys of paragraphs."""
    return LineKeys("paragraphs", paragraph_keys, np.uint64(BLANK_KEY))


METHOD = Method("paragraphs", CcnetParagraphSettings, make_keys, decide, removes="lines")
