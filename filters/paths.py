"""Paths that fingerprints treat by what they mean: a model's content counts, a place does not.

Both are strings, so that whatever takes a path takes them. A fingerprint counts any other string
as a setting.
"""

from __future__ import annotations


class Model(str):
    """Path of a file or folder that decides the text by its content; where it lies does not.

    Args:
        path: of the model.
        members: names in the folder that alone count; all of it where there are none.
    """

    members: tuple[str, ...]

    def __new__(cls, path: object, members: tuple[str, ...] = ()) -> Model:
        model = super().__new__(cls, path)
        model.members = members
        return model


class Location(str):
    """Path of a place to work in: what is done does not depend on it."""

    __slots__ = ()
