"""What the user gives as input: one folder or file, several, or a list of names below a base."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.errors import InputError
from pipeline.store import files
from pipeline.store.base import FileInfo


@dataclass(frozen=True)
class Inputs:
    """Raw input.

    Attributes:
        folders: folders or files, in order; a name in one of several begins with its folder's.
        names: path of a list of names, a line each, as publishers have it (`warc.paths.gz`).
        base: what the names of the list stand below.
        lists: folder, in the output, for lists of the files of units.
    """

    folders: tuple[str, ...]
    names: str = ""
    base: str = ""
    lists: str = ""

    def __str__(self) -> str:
        return f"{self.names} below {self.base}" if self.names else " and ".join(self.folders)

    def only(self, what: str) -> str:
        """The one folder or file.

        Raises:
            InputError: there are several, or a list, which `what` cannot be read from.
        """
        if self.names or len(self.folders) != 1:
            raise InputError(f"{what} takes one --input folder, no list and not several")
        return self.folders[0]

    def files(self) -> list[FileInfo]:
        """All files, sorted by relative path.

        Raises:
            InputError: two have the same relative path, or the list cannot be read.
        """
        if self.names:
            return sorted(self._listed(), key=lambda file: file.relative)
        if len(self.folders) == 1:
            return files.list_files(self.folders[0])
        labels = [files.split(folder)[1] or folder for folder in self.folders]
        for label in labels:
            if labels.count(label) > 1:
                raise InputError(
                    f"two inputs are called {label!r}: their files could not be told apart; give "
                    "the folder above them"
                )
        return [
            replace(file, relative=f"{label}/{file.relative}")
            for label, folder in sorted(zip(labels, self.folders, strict=True))
            for file in files.list_files(folder)
        ]

    def _listed(self) -> Iterator[FileInfo]:
        """The names of the list. Sizes are not looked up: a worker does, where it reads."""
        data = files.read_bytes(self.names)
        if data.startswith(b"\x1f\x8b"):
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError, zlib.error) as error:
                raise InputError(f"{self.names} is damaged: {error}") from None
        try:
            names = data.decode("utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{self.names} is no list of names: {error}") from None
        seen = set()
        for line in names:
            name = line.strip()
            if not name or name in seen:
                continue
            seen.add(name)
            yield FileInfo(files.join(self.base, name), name.lstrip("/"), 0)


def find_inputs(inputs: Inputs, pattern: str, looked_for: str) -> list[FileInfo]:
    """Files of the input whose relative path matches a regular expression.

    Args:
        inputs: that the user gave.
        pattern: searched in the relative path, ignoring case.
        looked_for: the pattern in words a person understands, for the error.

    Raises:
        InputError: nothing is there, or nothing matches.
    """
    return find_inputs_and_others(inputs, pattern, looked_for)[0]


def find_inputs_and_others(
    inputs: Inputs, pattern: str, looked_for: str
) -> tuple[list[FileInfo], list[FileInfo]]:
    """The same, and the files that do not match."""
    found = inputs.files()
    if not found:
        raise InputError(f"there is no file at or below {inputs}; looked for {looked_for}")
    expression = re.compile(pattern, re.IGNORECASE)
    matching = [file for file in found if expression.search(file.relative)]
    if not matching:
        examples = ", ".join(file.relative for file in found[:3])
        raise InputError(
            f"none of the {len(found)} files below {inputs} is input for this source; "
            f"looked for {looked_for}; found for example {examples}"
        )
    return matching, [file for file in found if not expression.search(file.relative)]
