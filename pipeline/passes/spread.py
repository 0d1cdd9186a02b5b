"""Hands work to whatever workers there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


class Spread(beam.PTransform):
    """Elements to all workers of an engine; nothing where one process has them all."""

    def expand(self, elements: beam.PCollection) -> beam.PCollection:
        if isinstance(elements.pipeline.runner, FnApiRunner):
            return elements
        return elements | beam.Reshuffle()


class Spreading(beam.PTransform):
    """The elements given, spread.

    Args:
        elements: few, for they are part of the graph.
    """

    def __init__(self, elements: Iterable[Any]) -> None:
        super().__init__()
        self._elements = list(elements)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return root | beam.Impulse() | beam.FlatMap(_all, self._elements) | Spread()


def _all(_: bytes, elements: list[Any]) -> list[Any]:
    return elements
