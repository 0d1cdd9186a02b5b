"""Loading of models: once per process, and with an error that says how to get a missing one.

A model is shared by every filter of a process and kept until the process ends. fastText objects do
not pickle, so filters hold paths and call these loaders in `open`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fasttext
import kenlm
import sentencepiece

Model = TypeVar("Model")

_PUBLISHED_BYTES = {"lid.176.ftz": 938_013, "lid.176.bin": 131_266_198}

_loaded: dict[tuple[str, str], Any] = {}
_lock = threading.Lock()


class MissingModel(Exception):
    """A model is absent or unusable; the message names its path and the command that makes it."""


def missing_model(path: str | Path, command: str, problem: str = "not found") -> MissingModel:
    """The error for a model that is absent, or unusable because of `problem`."""
    return MissingModel(f"model {path}: {problem}; make it with `{command}`")


def _expected_bytes(path: Path) -> int | None:
    """The size of a model file where it is known: published, or on the card beside the file."""
    if path.name in _PUBLISHED_BYTES:
        return _PUBLISHED_BYTES[path.name]
    card = path.parent / "card.json"
    if path == card or not card.is_file():
        return None
    try:
        return int(json.loads(card.read_bytes())["files"][path.name]["bytes"])
    except (ValueError, KeyError, TypeError):
        return None  # a card need not list its files


def load_once(kind: str, path: str | Path, command: str, load: Callable[[str], Model]) -> Model:
    """The model at `path`, loaded by the first caller.

    Args:
        kind: separates models of different libraries that share a path.
        path: the model file.
        command: what the user is told to run when the file is absent or unreadable.
        load: reads a file; raises OSError, RuntimeError or ValueError when it cannot.

    Raises:
        MissingModel: no such file, or `load` refused it.
    """
    resolved = str(Path(path).resolve())
    with _lock:
        if (kind, resolved) in _loaded:
            return _loaded[kind, resolved]
        if not Path(resolved).is_file():
            raise missing_model(path, command)
        size, expected = Path(resolved).stat().st_size, _expected_bytes(Path(resolved))
        if expected is not None and size < expected:
            # fastText crashes or hangs on a file that was cut off.
            raise missing_model(path, command, f"cut off, {size} of {expected} bytes")
        try:
            model = load(resolved)
        except (OSError, RuntimeError, ValueError) as error:
            raise missing_model(path, command, f"cannot be read ({error})") from error
        _loaded[kind, resolved] = model
        return model


def load_fasttext(path: str | Path, command: str) -> Any:
    """A fastText model (`.bin` or `.ftz`)."""
    return load_once("fasttext", path, command, fasttext.load_model)


def load_sentencepiece(path: str | Path, command: str) -> Any:
    """A SentencePiece model."""
    return load_once(
        "sentencepiece",
        path,
        command,
        lambda name: sentencepiece.SentencePieceProcessor(model_file=name),
    )


def load_kenlm(path: str | Path, command: str) -> Any:
    """A KenLM model: a binary file, mapped into memory and so shared by workers, or ARPA."""
    return load_once("kenlm", path, command, kenlm.Model)


def predict(model: Any, text: str, k: int = 1) -> list[tuple[str, float]]:
    """The k best labels of a fastText model for one line of text, best first.

    `model.predict` fails with NumPy 2 in some builds of fastText; the binding beneath it does not.

    Args:
        model: from `load_fasttext`.
        text: without newlines: fastText reads up to the first one.
        k: how many labels.

    Returns:
        (label without its prefix, probability) pairs; rounding may leave a probability just above
        1. For empty text fastText guesses from nothing.
    """
    found = model.f.predict(text + "\n", k, 0.0, "strict")
    return [(label.removeprefix("__label__"), score) for score, label in found]
