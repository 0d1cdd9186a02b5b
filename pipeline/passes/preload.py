"""Imported by the process that local workers are forked from: each then costs next to nothing."""

from __future__ import annotations

import importlib

from pipeline.collector import importing

# Beam; the filters of all sources, through their settings.
with importing():
    importlib.import_module("pipeline.passes.local")
    importlib.import_module("pipeline.registry").sections()
