"""[deduplication.NAME]: a recipe section for each method of deduplication, from the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator

from filters.document import Settings
from pipeline.deduplication import methods


def _known(name: str) -> str:
    if name not in methods.names():
        raise ValueError(f"no method of deduplication is called {name!r}: {methods.names()}")
    return name


MethodName: TypeAlias = Annotated[str, AfterValidator(_known)]


@dataclass(frozen=True, kw_only=True)
class DeduplicationSettings(Settings):
    """How each method compares; where one is used, a source's section says.

    In a recipe it has a section for each method (`sections`).
    """

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


def sections() -> dict[str, type[Settings]]:
    """The recipe section of each method."""
    return {name: methods.method_of(name).settings for name in methods.names()}
