"""A step that is sent to workers with what decided it where the run was started."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

from pipeline.fingerprints.parts import Parts, check, parts_of
from pipeline.plugins import Travels


class Fingerprinted(Travels, ABC):
    """Base of a step, which is pickled with its attributes."""

    @abstractmethod
    def decided_by(self) -> tuple[Any, ...]:
        """What decides what the step makes, beside its own code; as `parts_of` reads it."""

    @cached_property
    def parts(self) -> Parts:
        """Of the process that asks first: the one that starts the run."""
        return self._parts_here()

    @property
    def fingerprint(self) -> str:
        return self.parts.fingerprint

    def check(self) -> None:
        """Refuse, on a worker, to do what the run was not started with; once per process.

        Raises:
            RunFailed: models, libraries, Python or code are other; the message names them.
            InputError: a model is not there.
        """
        if self.fingerprint not in _checked:
            check(self.parts, self._parts_here())
            _checked.add(self.fingerprint)

    def _parts_here(self) -> Parts:
        return parts_of(type(self), *self.decided_by())


# Fingerprints of steps that this process was found to be able to do.
_checked: set[str] = set()
