"""Recipes: what differs from the defaults, in a TOML file; typed, with unknown keys refused.

Every key has its default, and where that comes from, at its field (`filters.document.setting`). A
recipe may start from another (`extends = "llama1.toml"`, beside itself or else one of ours).
`--set section.key=value` overrides single keys; values are TOML.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, make_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from filters.document import Settings, setting
from filters.optional.registry import known_filters
from filters.pii import PiiSettings
from pipeline import registry
from pipeline.decontamination.settings import DecontaminationSettings, EvaluationSettings
from pipeline.deduplication.sections import DeduplicationSettings, sections
from pipeline.errors import RecipeError
from pipeline.models.settings import LanguageModelSettings, ReferenceModelSettings
from pipeline.setting_types import Positive, Share
from pipeline.tokens.settings import MixtureSettings, TokenizerSettings, TokensSettings

Section = TypeVar("Section", bound=Settings)
_Sections: TypeAlias = tuple[tuple[str, type[Settings]], ...]

# Recipes that come with the package.
RECIPES = Path(__file__).resolve().parents[1] / "recipes"


@dataclass(frozen=True, kw_only=True)
class RunSettings(Settings):
    """[run]: how work is cut up and what is kept beside the documents.

    Attributes:
        batch_documents, batch_characters: a batch is closed at either.
        rows_per_group: documents per Parquet row group.
        rejected_text_share: share of rejects whose text is kept, drawn by hash of the id.
        maximum_unit_loss: the run fails if more of its units, or of their bytes, could not be read.
        maximum_error_share: the run fails if more records than this end with `error:...`.
        maximum_document_seconds: of CPU that a stage, or the reader, may take for one record; one
            that takes longer is rejected as `took_too_long`.
        partition_bytes: bound on the keys that one deduplication partition holds.
    """

    batch_documents: Positive = setting(256, "ours: bounds a worker's memory; decides no text")
    batch_characters: Positive = setting(
        4_000_000, "ours: 16 MB of a worker's memory at most; decides no text"
    )
    rows_per_group: Positive = setting(1000, "ours: what a reader of Parquet must hold at a time")
    rejected_text_share: Share = setting(
        0.01, "ours: enough to read examples of every common reason"
    )
    maximum_unit_loss: Share = setting(
        0.01, "ours: what is lost is most often a download to be repeated"
    )
    maximum_error_share: Share = setting(
        0.01, "ours: more errors are a fault of the program, not of records"
    )
    maximum_document_seconds: Positive = setting(
        600, "ours: 1,600 times the slowest of 11,000 real records, a page's extraction of 0.37 s"
    )
    partition_bytes: Positive = setting(
        16_777_216, "measured: a million keys, at 63 bytes each in memory (docs/deduplication.md)"
    )


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

    language_identifier: str = "models/lid.176.ftz"
    language_models: str = "models/language"
    reference_model: str = "models/reference"
    evaluation_index: str = "models/evaluation"
    tokenizer: str = "models/tokenizer"
    language: LanguageModelSettings = field(default_factory=LanguageModelSettings)
    reference: ReferenceModelSettings = field(default_factory=ReferenceModelSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """Everything that decides what a run produces.

    Of `recipe_type` it has a section more for each source.

    Attributes:
        filters: a section for each optional filter; a source's `filters` says which it uses.
    """

    name: str
    run: RunSettings = field(default_factory=RunSettings)
    models: ModelsSettings = field(default_factory=ModelsSettings)
    deduplication: DeduplicationSettings = field(default_factory=DeduplicationSettings)
    decontamination: DecontaminationSettings = field(default_factory=DecontaminationSettings)
    pii: PiiSettings = field(default_factory=PiiSettings)
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    tokens: TokensSettings = field(default_factory=TokensSettings)
    mixture: MixtureSettings = field(default_factory=MixtureSettings)
    filters: Settings = field(default_factory=Settings)

    def section(self, name: str, kind: type[Section]) -> Section:
        """A source's section."""
        section = getattr(self, name)
        assert isinstance(section, kind)
        return section


def recipe_type() -> type[Recipe]:
    """The class of recipes with all sections that are known now: of sources, filters, methods."""
    filters = [(name, kind.settings_type) for name, kind in known_filters().items()]
    methods = sections().items()
    return _recipe_type(tuple(filters), tuple(methods), tuple(registry.sections().items()))


@cache
def _recipe_type(filters: _Sections, methods: _Sections, sources: _Sections) -> type[Recipe]:
    """Equal recipes are of one class."""
    found: dict[str, type[Settings]] = {
        "filters": _with_sections("filters", Settings, dict(filters)),
        "deduplication": _with_sections("deduplication", DeduplicationSettings, dict(methods)),
    }
    return _with_sections("Recipe", Recipe, {**found, **dict(sources)})


def _with_sections(
    name: str, base: type[Section], sections: Mapping[str, type[Settings]]
) -> type[Section]:
    keys = [(key, kind, field(default_factory=kind)) for key, kind in sections.items()]
    made: type[Section] = make_dataclass(name, keys, bases=(base,), frozen=True, kw_only=True)
    return made


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply `section.key=value` overrides; the rest are defaults.

    Args:
        name: of a recipe of ours (`llama1`), or else the path of a file.
        overrides: as on the command line; the last one wins.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, or a value of the wrong type.
    """
    data = _merge(_defaults(), _read(_find(name)))
    for override in overrides:
        _apply(data, override)
    try:
        return TypeAdapter(recipe_type()).validate_json(orjson.dumps(data), strict=True)
    except ValidationError as error:
        problems = "; ".join(_describe(item) for item in error.errors())
        raise RecipeError(f"recipe {name}: {problems}") from None


def resolved(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Every key with its value and the origin of its default, as JSON data.

    Returns:
        By the key as `--set` takes it, in the order of the sections: `value`; `origin`, empty
        where there is nothing to say (a path); and `default`, only where the value is another.
    """
    return dict(_resolved(recipe, ""))


def _resolved(settings: Settings, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in fields(settings):
        value = getattr(settings, key.name)
        if isinstance(value, Settings):
            yield from _resolved(value, f"{prefix}{key.name}.")
            continue
        found = {"value": to_plain(value), "origin": key.metadata.get("origin", "")}
        default = key.default if key.default_factory is MISSING else key.default_factory()
        if default not in (MISSING, value):
            found["default"] = to_plain(default)
        yield prefix + key.name, found


def _find(name: str) -> Path:
    ours = {one.stem: one for one in sorted(RECIPES.glob("*.toml"))}
    if name in ours:
        return ours[name]
    path = Path(name)
    if path.is_file():
        return path
    raise RecipeError(
        f"there is no recipe {name!r}; give the path of a file, or one of ours: {', '.join(ours)}"
    )


def _defaults() -> dict[str, Any]:
    """All keys but the recipe's name, which has none."""
    data: dict[str, Any] = to_plain(recipe_type()(name=""))
    del data["name"]
    return data


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(
            f"there is no recipe {str(path)!r} to extend; see recipes/ for examples"
        ) from None
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
