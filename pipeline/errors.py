"""Errors that a person can act on: the command line prints the message, without a traceback."""

from __future__ import annotations


class RovingError(Exception):
    """Something is wrong that the user can put right; the message says what to do.

    Attributes:
        exit_status: of the command line.
    """

    exit_status = 2


class InputError(RovingError):
    """The input is missing, empty, or not what the source reads."""


class MissingLibrary(RovingError):
    """An optional library that this input needs is not installed."""


class RecipeError(RovingError):
    """The recipe or an override is not valid."""


class OutputError(RovingError):
    """The output folder holds something else, or another run is writing to it."""


class RunFailed(RovingError):
    """The run ended without a complete dataset."""


class JobFailed(RunFailed):
    """A job broke for a cause that is not the user's: its traceback is worth keeping.

    Nothing says that another job would end the same way.
    """
