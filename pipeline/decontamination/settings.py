"""[decontamination] and [models.evaluation]. No Beam: every command reads recipes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from filters.document import Settings, StageSettings, setting


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


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(Settings):
    """How evaluation sets become an index of n-grams.

    Attributes:
        ngram_words: n, in words.
        minimum_words: an item without any text of n words is represented by its texts of at least
            this many, each matched whole; an item without such a text cannot be matched.
        maximum_items: an n-gram in more items of one set than this (an instruction, a licence) is
            left out.
        maximum_item_bytes: a longer line is an error.
        fields: set -> the fields that are text, nested ones with dots; all for other sets.
    """

    ngram_words: Annotated[int, Field(gt=0)] = setting(
        13, "paper: GPT-3 (arXiv 2005.14165), appendix C"
    )
    minimum_words: Annotated[int, Field(gt=0)] = setting(8, "paper: GPT-3, its least n")
    maximum_items: Annotated[int, Field(gt=0)] = setting(
        100, "ours: passages that items of known sets share stay in (docs/decontamination.md)"
    )
    maximum_item_bytes: Annotated[int, Field(gt=0)] = setting(
        16_777_216, "ours: bounds memory; an item is a question, not a file"
    )
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
