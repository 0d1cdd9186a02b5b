"""Recipes: every threshold of every source in one TOML file, typed, with unknown keys refused.

A recipe may start from another (`extends = "llama1.toml"`, beside itself or else one of ours) and
state only what differs. `--set section.key=value` overrides single keys; values are TOML.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from filters.document import Settings
from filters.pii import PiiSettings
from pipeline.decontamination.sets import EvaluationSettings
from pipeline.decontamination.stage import DecontaminationSettings
from pipeline.deduplication.settings import DeduplicationSettings
from pipeline.errors import RecipeError
from pipeline.models.language import LanguageModelSettings
from pipeline.models.reference import ReferenceModelSettings
from pipeline.sources.settings import (
    ArxivSettings,
    BooksSettings,
    C4Settings,
    CommonCrawlSettings,
    GithubSettings,
    Positive,
    Share,
    StackExchangeSettings,
    WikipediaSettings,
)
from pipeline.tokens.settings import MixtureSettings, TokenizerSettings, TokensSettings

# Recipes that come with the package.
RECIPES = Path(__file__).resolve().parents[1] / "recipes"


@dataclass(frozen=True, kw_only=True)
class RunSettings(Settings):
    """[run]: how work is cut up and what is kept beside the documents.

    Attributes:
        batch_documents, batch_characters: a batch is closed at either.
        rows_per_group: documents per Parquet row group.
        rejected_text_share: share of rejects whose text is kept, drawn by hash of the id.
        maximum_error_share: the run fails if more records than this end with `error:...`.
        partition_bytes: bound on the keys that one deduplication partition holds.
    """

    batch_documents: Positive
    batch_characters: Positive
    rows_per_group: Positive
    rejected_text_share: Share
    maximum_error_share: Share
    partition_bytes: Positive


@dataclass(frozen=True, kw_only=True)
class ModelsSettings(Settings):
    """[models]: where models are, and how they are made.

    Attributes:
        language_identifier: fastText model, `.bin` or `.ftz`.
        language_models: folder with one subfolder per language.
        reference_model: folder of the reference classifier.
        evaluation_index: folder of the index of evaluation sets, for decontamination.
        tokenizer: folder of the tokenizer.
    """

    language_identifier: str
    language_models: str
    reference_model: str
    evaluation_index: str
    tokenizer: str
    language: LanguageModelSettings
    reference: ReferenceModelSettings
    evaluation: EvaluationSettings


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """Everything that decides what a run produces."""

    name: str
    run: RunSettings
    models: ModelsSettings
    wikipedia: WikipediaSettings
    commoncrawl: CommonCrawlSettings
    arxiv: ArxivSettings
    books: BooksSettings
    github: GithubSettings
    stackexchange: StackExchangeSettings
    c4: C4Settings
    deduplication: DeduplicationSettings
    decontamination: DecontaminationSettings
    pii: PiiSettings
    tokenizer: TokenizerSettings
    tokens: TokensSettings
    mixture: MixtureSettings


def load_recipe(path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file and apply `section.key=value` overrides.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, or a value of the wrong type.
    """
    data = _read(Path(path))
    for override in overrides:
        _apply(data, override)
    try:
        return TypeAdapter(Recipe).validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        problems = "; ".join(_describe(item) for item in error.errors())
        raise RecipeError(f"recipe {path}: {problems}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"there is no recipe {str(path)!r}; see recipes/ for examples") from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {path} is not valid TOML: {error}") from None
    base = data.pop("extends", None)
    if base is None:
        return data
    beside = path.parent / base
    found = beside.is_file() and beside != path
    return _merge(_read(beside if found else RECIPES / base), data)


def _merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _apply(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise RecipeError(f"--set {override}: write it as section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise RecipeError(f"--set {override}: {section!r} is a key, not a section")
    data[last] = value


def _describe(item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "unexpected_keyword_argument":
        return f"unknown key {where!r}"
    if item["type"] in ("missing", "missing_argument"):
        return f"missing key {where!r}"
    if item["type"] == "value_error":
        return f"{where}: {item['msg'].removeprefix('Value error, ')}"
    return f"{where}: {item['msg']}, got {item['input']!r}"


def to_plain(settings: Any) -> Any:
    """Settings (or plain values) as JSON data."""
    return orjson.loads(orjson.dumps(settings))


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """SHA-256 of our own source: units made by other code are made again, never mixed."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for package in ("filters", "dedup", "pipeline"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def fingerprint(*parts: Any) -> str:
    """A short hash of what decides a pass's output: plain data, and our own code."""
    encoded = orjson.dumps([code_fingerprint(), *parts], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(encoded).hexdigest()[:16]
