"""`roving mixture plan`: what a token budget means for each source."""

from __future__ import annotations

import argparse

from pipeline.recipe import load_recipe
from tokenizer.errors import TokenizerError
from tokenizer.mixture.datasets import find_datasets
from tokenizer.mixture.plan import plan, plan_lines


def execute(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print a plan."""
    settings = load_recipe(parsed.recipe, parsed.set).mixture
    if parsed.window < 1:
        raise TokenizerError("--window must be at least 1")
    datasets = find_datasets(parsed.tokens_folder)
    unshared = sorted(set(datasets) - set(settings.shares))
    rows = plan(datasets, settings.shares, parsed.tokens or settings.tokens, parsed.window)
    print("\n".join(plan_lines(rows, settings.maximum_epochs)))
    if unshared:
        print(f"not in the mixture: {', '.join(unshared)}; mixture.shares gives them no share")
    return 0
