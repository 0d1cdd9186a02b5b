"""Fingerprints of steps, made of what the steps run: settings, models, libraries, Python and code.

`parts_of` reads the objects that run; nothing is listed by hand. A worker does the same with what
it was sent, and `check` refuses to go on where it has something else.
"""

from __future__ import annotations

from pipeline.fingerprints.parts import Parts, check, parts_of
from pipeline.fingerprints.step import Fingerprinted

__all__ = ["Fingerprinted", "Parts", "check", "parts_of"]
