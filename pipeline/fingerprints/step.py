"""A step that is sent to workers with what decided it where the run was started."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property, lru_cache
from typing import Any

from pipeline.fingerprints.parts import Parts, check, parts_of


class Fingerprinted(ABC):
    """Base of a step: hashable, and pickled with its attributes."""

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
        _check(self, self.fingerprint)

    def _parts_here(self) -> Parts:
        return parts_of(type(self), *self.decided_by())


@lru_cache(maxsize=1)
def _check(step: Fingerprinted, expected: str) -> None:
    """For each step, and each fingerprint that a run was started with."""
    check(step.parts, step._parts_here())
