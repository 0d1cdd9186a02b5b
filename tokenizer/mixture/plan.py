"""What a token budget means for each source: tokens there are, tokens wanted, epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tokenizer.mixture.order import SourceOrder
from tokenizer.mixture.shares import cycle_weights
from tokenizer.shards.reader import TokenDataset, check_same_tokenizer


@dataclass(frozen=True)
class SourcePlan:
    """One row of a plan.

    Attributes:
        source: its name.
        share: of the budget.
        documents, available: documents and tokens that there are.
        wanted: tokens that the budget takes, whole windows.
        epochs: how often every token is read; infinite where a share meets no tokens.
    """

    source: str
    share: float
    documents: int
    available: int
    wanted: int
    epochs: float


def plan(
    datasets: Mapping[str, TokenDataset], shares: Mapping[str, float], tokens: int, length: int
) -> list[SourcePlan]:
    """Split a budget of tokens by shares, in windows as the reader takes them.

    Sources that are not there are planned for all the same, so that the plan says what is missing.
    """
    check_same_tokenizer(list(datasets.values()))
    weights = cycle_weights(shares)
    order = SourceOrder.of(list(weights.values()))
    counts = order.counts(tokens // length)
    rows = []
    for (source, weight), count in zip(weights.items(), counts.tolist(), strict=True):
        dataset = datasets.get(source)
        available = dataset.tokens if dataset else 0
        windows = max(0, (available - 1) // length)
        epochs = count / windows if windows else float("inf")
        documents = dataset.documents if dataset else 0
        share = weight / len(order.cycle)
        rows.append(SourcePlan(source, share, documents, available, count * length, epochs))
    return rows


def plan_lines(rows: list[SourcePlan], maximum_epochs: float) -> list[str]:
    """The plan as a table, and what to think of it."""
    lines = [f"{'source':<16}{'share':>8}{'documents':>14}{'available':>18}{'wanted':>20}  epochs"]
    for row in sorted(rows, key=lambda row: -row.share):
        epochs = "none there" if row.epochs == float("inf") else f"{row.epochs:.2f}"
        lines.append(
            f"{row.source:<16}{row.share:>8.2%}{row.documents:>14,}{row.available:>18,}"
            f"{row.wanted:>20,}  {epochs}"
        )
    available, wanted = sum(row.available for row in rows), sum(row.wanted for row in rows)
    documents = sum(row.documents for row in rows)
    lines.append(f"{'all':<16}{'':>8}{documents:>14,}{available:>18,}{wanted:>20,}")
    missing = [row.source for row in rows if row.epochs == float("inf")]
    often = [row for row in rows if maximum_epochs < row.epochs < float("inf")]
    if missing:
        lines.append(
            f"warning: less than one window of {', '.join(missing)}; make them, or give them no "
            f"share: shares.{missing[0]} = 0 in [mixture], of a training in [data]"
        )
    if often:
        names = ", ".join(f"{row.source} ({row.epochs:.1f})" for row in often)
        reachable = min(row.wanted / row.epochs * maximum_epochs / row.share for row in often)
        lines.append(
            f"warning: more than {maximum_epochs:g} epochs of {names}; repeated tokens teach less "
            f"and less. With these shares {int(reachable):,} tokens stay below"
        )
    return lines
