"""The record that flows through every source, and the contract of a stage.

A filter takes one document and returns it (changed or annotated) or a `Rejected` with its reason.
Thresholds come from the recipe through a `Settings` dataclass; what a filter measured goes into
`Document.signals` whether the document is kept or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar, cast, runtime_checkable

Value = TypeVar("Value")


@dataclass(slots=True)
class Document:
    """One text with what is known about it.

    Attributes:
        id: stable across runs (WARC record id, `enwiki/12`, arXiv id, `repo@path`...).
        source: name of the source that made it (`commoncrawl`, `wikipedia`...).
        text: Unicode text; lines are separated by a single newline.
        metadata: what the input says (url, title, timestamp as ISO 8601, licence, language...).
        signals: what the stages measured (language score, perplexity, bucket...).
        raw: undecoded payload; only between a reader and the filter that extracts its text.
    """

    id: str
    source: str
    text: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    signals: dict[str, Any] = field(default_factory=dict)
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a filter dropped a document.

    Attributes:
        reason: snake_case, countable: no values in it (`below_threshold`, `too_short`).
        detail: what a person wants to know, values included (`score 0.12 < 0.25`).
    """

    reason: str
    detail: str = ""


def setting(default: Value, origin: str) -> Value:
    """A recipe key with its default and where that comes from; a field of a `Settings` class.

    Args:
        default: what holds where a recipe says nothing.
        origin: begins with `paper:`, `code:` (published with the paper), `measured:` (where to
            read it) or `ours:` (why); `roving recipe show` prints it beside the value.
    """
    metadata = {"origin": origin}
    if isinstance(default, dict):
        return cast(Value, field(default_factory=default.copy, metadata=metadata))
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of every recipe section: fields are its keys, unknown keys are refused.

    Every key has a default, and every number, and what else decides text, its origin (`setting`).
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True, kw_only=True)
class StageSettings(Settings):
    """A recipe section of a stage that can be switched off."""

    enabled: bool = True


@runtime_checkable
class Filter(Protocol):
    """A stage over single documents: picklable, cheap to construct; models load in `open`."""

    name: str

    def open(self) -> None:
        """Load what is expensive. Called once per process before the first document."""

    def __call__(self, document: Document) -> Document | Rejected:
        """Return the document to keep it, or the reason it is dropped."""
