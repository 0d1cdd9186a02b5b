"""What an ablation found, for people (`report.md`, `loss.png`) and programs (`report.json`)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from trainer.ablation import ALL, OUTSIDE, Comparison, Experiment, Outcome
from trainer.config import Config
from trainer.plan import MAXIMUM_EPOCHS
from trainer.record import draw_losses, finite

INTRODUCTION = """\
Bits per byte of held-out text; less is better. `{outside}` is text that no arm was made from: it
decides. An arm's own validation split holds the documents of that arm that were kept from training
in every arm, in the form the arm gives them. Differences, their 95 % confidence and p (paired
t-test) are over seeds, here {seeds}: they say what another seed would change, not what other text
would.
"""


def write_report(config: Config, experiment: Experiment, outcome: Outcome, output: Path) -> None:
    """Write all three."""
    lines = [
        *_head(config, experiment, outcome),
        *_verdict(outcome),
        "",
        *_comparisons(outcome),
        "",
    ]
    lines += [*_seeds(experiment, outcome), "", *_sources(outcome), "", "![loss](loss.png)", ""]
    (output / "report.md").write_text("\n".join(lines), encoding="utf-8")
    content = {
        "seeds": list(experiment.seeds),
        "steps": config.steps,
        "tokens": outcome.tokens,
        "bits_per_byte": outcome.scores,
        "judged": outcome.sizes,
        "comparisons": [vars(one) for one in outcome.comparisons],
        "shares": outcome.shares,
        "epochs": outcome.epochs,
    }
    (output / "report.json").write_text(json.dumps(finite(content), indent=1), encoding="utf-8")
    curves = {
        f"{arm}, seed {seed}": run / "metrics.jsonl" for (arm, seed), run in outcome.runs.items()
    }
    draw_losses(curves, output / "loss.png")


def verdict(outcome: Outcome) -> list[str]:
    """What the outside says of every arm, one sentence each; and what makes it doubtful."""
    sentences = [
        f"{one.other} against {one.base} on text from outside: {one.difference:+.4f} bits per byte "
        f"({one.difference / one.means[0]:+.1%}; less is better), p = {_p(one)}"
        for one in outcome.comparisons
        if (one.judged, one.source) == (OUTSIDE, ALL)
    ]
    often = {
        arm: [source for source, read in epochs.items() if read > MAXIMUM_EPOCHS]
        for arm, epochs in outcome.epochs.items()
    }
    return sentences + [
        f"{arm} read {', '.join(sources)} more than {MAXIMUM_EPOCHS:.0f} times: more of its text, "
        "or fewer training.steps, would say more about the rest"
        for arm, sources in often.items()
        if sources
    ]


def _head(config: Config, experiment: Experiment, outcome: Outcome) -> list[str]:
    budget = f"{outcome.tokens:,} tokens in {config.steps:,} steps a run."
    text = INTRODUCTION.format(outside=OUTSIDE, seeds=len(experiment.seeds))
    return ["# Ablation", "", text, f"Model `{config.model.preset}`, {budget}", ""]


def _verdict(outcome: Outcome) -> list[str]:
    return [f"**{line}**" for line in verdict(outcome)]


def _comparisons(outcome: Outcome) -> Iterator[str]:
    yield "| judged on | source | bytes | arms | means | difference | 95 % | p |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in outcome.comparisons:
        size = outcome.sizes[one.judged][one.source][1]
        low, high = one.interval
        interval = "unknown" if math.isnan(low) else f"{low:+.4f} to {high:+.4f}"
        yield (
            f"| {one.judged} | {one.source} | {size:,} | {one.other} against {one.base} | "
            f"{one.means[1]:.4f}, {one.means[0]:.4f} | {one.difference:+.4f} | "
            f"{interval} | {_p(one)} |"
        )


def _p(one: Comparison) -> str:
    return "unknown, of one seed" if math.isnan(one.p) else f"{one.p:.2g}"


def _seeds(experiment: Experiment, outcome: Outcome) -> Iterator[str]:
    yield f"| judged on | arm |{''.join(f' seed {seed} |' for seed in experiment.seeds)}"
    yield f"|---|---|{'---|' * len(experiment.seeds)}"
    for judged, sources in outcome.scores.items():
        for arm, found in sources[ALL].items():
            yield f"| {judged} | {arm} |{''.join(f' {score:.4f} |' for score in found)}"


def _sources(outcome: Outcome) -> Iterator[str]:
    """What was trained on."""
    yield "| arm | source | share | epochs |"
    yield "|---|---|---|---|"
    for arm, shares in outcome.shares.items():
        for source, epochs in outcome.epochs[arm].items():
            share = shares[source] / sum(shares.values())
            often = ", too often" if epochs > MAXIMUM_EPOCHS else ""
            yield f"| {arm} | {source} | {share:.1%} | {epochs:.2f}{often} |"
