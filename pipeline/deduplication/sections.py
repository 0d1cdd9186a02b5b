"""[deduplication.NAME]: a recipe section for each method of deduplication, from the registry."""

from __future__ import annotations

from dataclasses import field, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import AfterValidator

from filters.document import Settings
from pipeline.deduplication import methods


def _known(name: str) -> str:
    if name not in methods.names():
        raise ValueError(f"no method of deduplication is called {name!r}: {methods.names()}")
    return name


MethodName: TypeAlias = Annotated[str, AfterValidator(_known)]

if TYPE_CHECKING:

    class DeduplicationSettings(Settings):
        """How each method compares; where one is used, a source's section says."""

        def __getattr__(self, name: str) -> Any: ...

else:
    _SETTINGS = {name: methods.method_of(name).settings for name in methods.names()}
    DeduplicationSettings = make_dataclass(
        "DeduplicationSettings",
        [(name, kind, field(default_factory=kind)) for name, kind in _SETTINGS.items()],
        bases=(Settings,),
        namespace={"__module__": __name__},
        frozen=True,
        kw_only=True,
    )
