"""Loss is loud: what a run lost of its input, and when that is too much to call it finished."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import RunFailed
from pipeline.passes.run import Result
from pipeline.passes.stages import READ
from pipeline.passes.summary import Summary
from pipeline.store.tables import read_table

if TYPE_CHECKING:
    from pipeline.recipe import RunSettings

SHOWN = 5


def check_errors(name: str, summary: Summary, settings: RunSettings) -> None:
    """Fail if our own code failed on more records, or readers of units, than is allowed.

    Raises:
        RunFailed: it did.
    """
    funnel, limit = summary.funnel, settings.maximum_error_share
    failed = sum(funnel.errors.values())
    # A reader that fails loses the rest of its unit, however many records that is.
    broken = sum(n for name, n in funnel.errors.items() if name.startswith(f"{READ}:"))
    if failed > limit * max(funnel.records, 1) or broken > limit * summary.units:
        common = ", ".join(f"{name} {number}" for name, number in funnel.errors.most_common(3))
        raise RunFailed(
            f"{name}: {failed} of {funnel.records} records and {broken} of {summary.units} "
            f"readers failed in our own code, more than run.maximum_error_share = {limit} "
            f"allows: {common}; see rejected/"
        )


def loss_lines(summary: Summary) -> list[str]:
    """What was lost, for people; nothing if nothing was."""
    if not summary.lost_units:
        return []
    share = 100 * summary.lost_bytes / max(1, summary.input_bytes)
    lines = [
        f"LOST: {summary.lost_units:,} of {summary.units:,} units in whole or in part, "
        f"{summary.lost_bytes:,} bytes ({share:.1f} % of what was read)"
    ]
    for one in summary.lost[:SHOWN]:
        there = (
            f"{one.lost_bytes:,} of {one.bytes:,} bytes" if one.lost_bytes else "what is not there"
        )
        lines.append(f"  {one.path}: {one.reason}, {there}")
    if summary.lost_units > SHOWN:
        lines.append(f"  and {summary.lost_units - SHOWN:,} more")
    return lines


def refused_lines(refused: Sequence[Mapping[str, str]]) -> list[str]:
    """Which files of the input were passed over, by reason; all are in the manifest."""
    by_reason: dict[str, list[str]] = {}
    for file in refused:
        by_reason.setdefault(file["reason"], []).append(file["path"])
    return [
        f"passed over: {len(paths):,} file{'s' if len(paths) > 1 else ''} ({reason}): "
        + ", ".join(paths[:SHOWN])
        + (f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else "")
        for reason, paths in sorted(by_reason.items())
    ]


def check_losses(output: str, result: Result, limit: float) -> None:
    """Fail if more units, or bytes, were lost than is allowed; a lost unit counts as the median.

    Raises:
        RunFailed: there were.
    """
    summary = result.summary
    if not summary.lost_units:
        return
    sizes, lost = [], []
    for table in result.summary.tables:
        inputs: list[Any] = read_table(result.place.root, table, ["input"])["input"].to_pylist()
        for row in inputs:
            sizes.append(row["bytes"])
            if row["lost"]:
                lost.append(row["lost_bytes"])
    median = int(statistics.median(sizes))
    lost_bytes = sum(max(one, median) for one in lost)
    units_share = summary.lost_units / summary.units
    bytes_share = lost_bytes / max(1, sum(sizes), lost_bytes)
    if max(units_share, bytes_share) > limit:
        raise RunFailed(
            f"{output}: {100 * units_share:.1f} % of the units and {100 * bytes_share:.1f} % of "
            f"the bytes (of each at least as many as half of all units have) could not be read, "
            f"more than run.maximum_unit_loss = {limit} allows; the units are named above. Fetch "
            "them again and run the same command, or allow it with --set run.maximum_unit_loss=1"
        )
