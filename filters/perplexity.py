"""CCNet's quality measure: perplexity under a language model of Wikipedia (arXiv 1911.00359, 3.3).

A document is normalised (`filters.ccnet_text`), cut into SentencePiece pieces and scored as one
sentence by a KenLM 5-gram model of its language. pp = 10 ** (-S / L): S the log10 score with both
sentence marks, L the number of pieces plus one. Two cut-offs per language split documents into
`head`, `middle` and `tail`; they are only valid for the models they were computed with.

A language's models stand in `<folder>/<language>/`: `sentencepiece.model`, `lm.binary` and
`card.json`, which holds `{"cutoffs": {"head": x, "middle": y}}`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filters.ccnet_text import Mode, normalize_for_language_model
from filters.document import Document, Rejected, StageSettings, setting
from filters.line_kinds import CODE, ITEM, ROW, SIGNAL, line_kinds
from filters.models import load_kenlm, load_once, load_sentencepiece, missing_model
from filters.paths import Model

COMMAND = "roving models language --documents WIKIPEDIA"

_NO_PROSE = frozenset((CODE, ITEM, ROW))
Bucket = Literal["head", "middle", "tail"]

# 30th and 60th percentile that CCNet published for its own models, of the languages that LLaMA
# takes from Wikipedia; it has none for sl, sr, sv.
PUBLISHED_CUTOFFS: dict[str, tuple[float, float]] = {
    "bg": (450, 680),
    "ca": (210, 330),
    "cs": (820, 1140),
    "da": (380, 600),
    "de": (370, 590),
    "en": (340, 520),
    "es": (180, 290),
    "fr": (180, 330),
    "hr": (720, 910),
    "hu": (80, 140),
    "it": (220, 360),
    "nl": (430, 650),
    "pl": (160, 260),
    "pt": (170, 270),
    "ro": (180, 270),
    "ru": (210, 310),
    "uk": (140, 220),
}


@dataclass(frozen=True, kw_only=True)
class PerplexitySettings(StageSettings):
    """Which buckets stay.

    Attributes:
        keep_buckets: of `head`, `middle`, `tail`.
        cutoffs: `own`, from the model's card, or `published`, CCNet's for CCNet's models.
        without_model: what becomes of a document whose language has no model or no cut-offs:
            `keep` it in bucket `all`, as CCNet does, or `reject` it. `stop` keeps it, but where
            languages are wanted by name, each must have its model before the run starts.
        minimum_prose: characters of paragraphs, headings and verse; a document with less is mostly
            code, tables or lists, of which perplexity says nothing: it is not scored, and stays in
            bucket `all`.
        maximum_characters: longer documents are scored on their beginning, which bounds time and
            memory; 0 scores all of every document, as CCNet does.
    """

    keep_buckets: tuple[Bucket, ...] = setting(
        ("head", "middle"), "code: RedPajama v1's; LLaMA's paper names no bucket"
    )
    cutoffs: Literal["own", "published"] = setting(
        "own", "ours: the published ones are right for CCNet's own models only"
    )
    without_model: Literal["stop", "keep", "reject"] = setting(
        "stop", "ours: CCNet keeps; a model that is missing by mistake would pass all unseen"
    )
    minimum_prose: int = setting(300, "code: CCNet's minimum of a text; of prose it is ours")
    maximum_characters: int = setting(
        200_000, "ours: bounds time and memory; CCNet has none (docs/ccnet.md)"
    )


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """The loaded models of one language, and its (head, middle) cut-offs if there are any."""

    pieces: Any
    scores: Any
    cutoffs: tuple[float, float] | None

    def perplexity(self, normalized: str) -> float | None:
        """Perplexity of normalised text, to one decimal; None where it has no piece."""
        pieces = self.pieces.encode(normalized, out_type=str)
        if not pieces:
            return None
        score: float = self.scores.score(" ".join(pieces))
        return round(10.0 ** (-score / (len(pieces) + 1)), 1)

    def bucket(self, perplexity: float) -> Bucket | None:
        """The bucket of a rounded perplexity; None without cut-offs."""
        if self.cutoffs is None:
            return None
        head, middle = self.cutoffs
        return "head" if perplexity < head else "middle" if perplexity < middle else "tail"


def prose(document: Document) -> str:
    """The text without its lines of code, rows and items; as it is where nothing is known of it."""
    kinds = document.signals.get(SIGNAL) or ""
    if not _NO_PROSE.intersection(kinds):
        return document.text
    lines = zip(document.text.split("\n"), line_kinds(document), strict=True)
    return "\n".join([line for line, kind in lines if kind not in _NO_PROSE])


def load_cutoffs(card: Path) -> tuple[float, float]:
    """The cut-offs on a model's card.

    Raises:
        MissingModel: no card, or none with two cut-offs.
    """

    def read(path: str) -> tuple[float, float]:
        card = json.loads(Path(path).read_bytes())
        try:
            return float(card["cutoffs"]["head"]), float(card["cutoffs"]["middle"])
        except (KeyError, TypeError) as error:
            raise ValueError("no cutoffs head and middle") from error

    return load_once("card", card, COMMAND, read)


class PerplexityFilter:
    """Set the signals `perplexity` and `bucket`; keep some buckets.

    The language is `metadata["language"]`; its models load when its first document comes. Lines of
    code, tables and lists are not read, but in ccnet mode.

    Reasons: `bucket_head`, `bucket_middle`, `bucket_tail`; `no_language_model`, `no_cutoffs`,
    `empty` (nothing is left to score) unless such documents are kept.
    """

    name = "perplexity"

    def __init__(
        self,
        settings: PerplexitySettings | None = None,
        models: str | Path = "models/language",
        required: tuple[str, ...] = (),
        mode: Mode = "standard",
    ) -> None:
        """
        Args:
            settings: the recipe's section.
            models: folder with a folder per language.
            required: languages without whose models `open` fails, if it is to stop.
            mode: `ccnet` deletes line breaks, so that words fuse, where `standard` puts spaces,
                and keeps what it cannot score.
        """
        self.settings = settings or PerplexitySettings()
        self.models = Model(models, members=required)
        self.required = required
        self.mode: Mode = mode
        self._loaded: dict[str, LanguageModel | None] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings, self.models, self.required, self.mode)

    def open(self) -> None:
        """Load the models that are required.

        Raises:
            MissingModel: one of them is absent, or the folder of all models.
        """
        if not Path(self.models).is_dir():
            raise missing_model(self.models, COMMAND, "no such folder")
        for language in self.required:
            if self._model(language) is None and self.settings.without_model == "stop":
                raise missing_model(Path(self.models) / language, COMMAND)

    def _model(self, language: str) -> LanguageModel | None:
        if language not in self._loaded:
            folder = Path(self.models) / language
            # The name comes from a document: only a folder directly in `models` counts.
            known = language.replace("-", "").isalnum() and folder.is_dir()
            self._loaded[language] = self._load(folder) if known else None
        return self._loaded[language]

    def _load(self, folder: Path) -> LanguageModel:
        own = self.settings.cutoffs == "own"
        return LanguageModel(
            load_sentencepiece(folder / "sentencepiece.model", COMMAND),
            load_kenlm(folder / "lm.binary", COMMAND),
            load_cutoffs(folder / "card.json") if own else PUBLISHED_CUTOFFS.get(folder.name),
        )

    def _normalized(self, text: str) -> str:
        if 0 < self.settings.maximum_characters < len(text):
            text = text[: self.settings.maximum_characters]
        ccnet = self.mode == "ccnet"
        return normalize_for_language_model(text, newlines="delete" if ccnet else "space")

    def _without_bucket(self, document: Document, reason: str, detail: str) -> Document | Rejected:
        ccnet = self.mode == "ccnet"
        if not ccnet and (reason == "empty" or self.settings.without_model == "reject"):
            return Rejected(reason, detail)
        document.signals["bucket"] = "all"
        return document

    def __call__(self, document: Document) -> Document | Rejected:
        language = document.metadata.get("language", "")
        model = self._model(language)
        if model is None:
            return self._without_bucket(document, "no_language_model", f"language {language!r}")
        text = document.text if self.mode == "ccnet" else prose(document)
        if text is not document.text and len(text) < self.settings.minimum_prose:
            document.signals["bucket"] = "all"
            return document
        perplexity = model.perplexity(self._normalized(text))
        if perplexity is None:
            return self._without_bucket(document, "empty", "no piece of text is left")
        document.signals["perplexity"] = perplexity
        bucket = model.bucket(perplexity)
        if bucket is None:
            return self._without_bucket(document, "no_cutoffs", f"language {language!r}")
        document.signals["bucket"] = bucket
        if bucket not in self.settings.keep_buckets:
            return Rejected(f"bucket_{bucket}", f"{language} perplexity {perplexity}")
        return document
