"""[decontamination]: the recipe's section of the stage. No Beam: every command reads recipes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from filters.document import StageSettings, setting


@dataclass(frozen=True, kw_only=True)
class DecontaminationSettings(StageSettings):
    """What happens to documents that hold text of evaluation items.

    Attributes:
        action: `drop` the document, `flag` it in its signals, or `cut` the matching words.
        minimum_matches: different n-grams of one text of an item that make a document
            contaminated; all that it has, where it has fewer.
        maximum_listed: items listed in the signal `contamination`, the first by set and number.
        maximum_spans: a document with more spans to cut is dropped.
        minimum_characters: a document with less text after cutting is dropped.
    """

    enabled: bool = setting(False, "paper: LLaMA has none")
    action: Literal["drop", "flag", "cut"] = setting(
        "drop", "ours: GPT-3 cuts; what is left of a cut document is no whole text"
    )
    minimum_matches: Annotated[int, Field(gt=0)] = setting(1, "paper: GPT-3")
    maximum_listed: Annotated[int, Field(gt=0)] = setting(
        100, "ours: bounds a document's signal; not tuned"
    )
    maximum_spans: Annotated[int, Field(gt=0)] = setting(10, "paper: GPT-3, more than 10 pieces")
    minimum_characters: Annotated[int, Field(ge=0)] = setting(200, "paper: GPT-3")
