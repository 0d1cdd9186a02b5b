"""Documents of the same address."""

from __future__ import annotations

from dataclasses import dataclass

from dedup.preference import Keep, Preference
from dedup.url_keys import url_keys
from filters.document import setting
from pipeline.deduplication.keys import MetadataKeys
from pipeline.deduplication.methods import Method


@dataclass(frozen=True, kw_only=True)
class UrlSettings(Preference):
    """[deduplication.url]: documents of the same address, normalised as C4 does."""

    keep: Keep = setting("newest", "code: C4's, since its third version")


def make_keys(settings: UrlSettings) -> MetadataKeys:
    """Keys of the addresses."""
    return MetadataKeys("url", settings, url_keys)


METHOD = Method("url", UrlSettings, make_keys)
