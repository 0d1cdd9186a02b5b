"""What the recipe sections of all sources have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from filters.document import Settings, setting
from filters.optional.registry import known_filters
from pipeline.deduplication.sections import MethodName


def _known_filter(name: str) -> str:
    known = known_filters()
    if name not in known:
        raise ValueError(f"there is no filter {name!r}; there are: {', '.join(known)}")
    return name


FilterName: TypeAlias = Annotated[str, AfterValidator(_known_filter)]


@dataclass(frozen=True, kw_only=True)
class SourceSettings(Settings):
    """Base of a source's section: what its finished documents go through after its own stages.

    Attributes:
        filters: names of [filters] sections, in order.
        deduplicate: methods of [deduplication], in order.
    """

    filters: tuple[FilterName, ...] = setting((), "paper: LLaMA names none")
    deduplicate: tuple[MethodName, ...] = setting((), "paper: LLaMA names none")
