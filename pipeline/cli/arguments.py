"""What the arguments of several commands stand for: engine, datasets and their labels."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from pipeline.errors import InputError, OutputError, RunFailed
from pipeline.passes.engine import LOCAL_RUNNER, Engine
from pipeline.store import files
from pipeline.store.options import configure, for_engine, from_engine_options, without_stores


def engine_of(parsed: argparse.Namespace, engine_options: list[str]) -> Engine:
    """The engine that the options name.

    Raises:
        RunFailed: an unknown option, or one that does not go with the runner.
    """
    runner = parsed.runner or LOCAL_RUNNER
    unknown = without_stores(engine_options)
    if unknown and runner == LOCAL_RUNNER:
        raise RunFailed(f"unknown options {' '.join(unknown)}; engine options need --runner")
    stores = from_engine_options(engine_options)
    configure(stores)
    return Engine(runner, parsed.workers, tuple(for_engine(engine_options)), stores)


def output_for(folder: str, output: str, label: str) -> str:
    """Where the new dataset goes.

    Raises:
        OutputError: that is where it comes from.
    """
    target = files.join(output, label)
    if files.is_local(folder) and Path(folder).resolve() == Path(target).resolve():
        raise OutputError(
            f"{folder} would be written over itself; choose another --output, or another label, "
            "LABEL=FOLDER"
        )
    return target


def check_label(text: str, label: str) -> None:
    """Fail on what cannot be the name of a folder, and on what we call our own.

    Raises:
        InputError: `text` has such a label.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", label) or label == "work":
        raise InputError(
            f"{text}: {label!r} cannot be the label; give one of the letters a to z, digits and "
            "`._-`, LABEL=FOLDER"
        )


def labelled(inputs: list[str]) -> dict[str, str]:
    """Folders by label, from `LABEL=FOLDER` or `FOLDER`.

    Raises:
        InputError: a label twice, or one that cannot be the name of a folder.
    """
    found: dict[str, str] = {}
    for text in inputs:
        label, equals, folder = text.partition("=")
        if not equals or "/" in label:
            folder = text
            label = files.split(text.rstrip("/"))[1]
        check_label(text, label)
        if label in found:
            raise InputError(f"two inputs are called {label!r}; give them labels, LABEL=FOLDER")
        found[label] = folder
    return found
