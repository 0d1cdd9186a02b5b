"""Imported by the process that local workers are forked from: each then costs next to nothing."""

from __future__ import annotations

import importlib

from pipeline.collector import importing

# Beam; the filters of all sources, through their settings.
with importing():
    for name in ("pipeline.passes.local", "pipeline.recipe"):
        importlib.import_module(name)
