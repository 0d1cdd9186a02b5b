"""Tasks by reference: a graph carries the name of a file of tasks, never the tasks themselves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Any, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.passes.shuffle import RANGE
from pipeline.store import files


@dataclass(frozen=True)
class TasksFile:
    """A file of tasks.

    Attributes:
        path: where it is.
        tasks: how many.
    """

    path: str
    tasks: int

    def __getitem__(self, number: int) -> Any:
        """A task as plain data."""
        group, row = divmod(number, RANGE)
        return orjson.loads(_group(self.path, group)[row])


def write_tasks(path: str, tasks: Sequence[Any]) -> TasksFile:
    """Write tasks, which are JSON data or dataclasses of it."""
    column = pa.array([orjson.dumps(task).decode() for task in tasks], pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table({"task": column}), sink, row_group_size=RANGE, compression="zstd")
    files.write_bytes(path, sink.getvalue())
    return TasksFile(path, len(tasks))


@lru_cache(maxsize=2)
def _group(path: str, group: int) -> list[str]:
    with cast(IO[bytes], files.open_read(path)) as handle:
        column: Any = pq.ParquetFile(handle).read_row_group(group).column("task")
        return list(column.to_pylist())
