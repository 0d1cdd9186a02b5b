"""`roving tokenize`: make token datasets from documents datasets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.cli.datasets import find_datasets
from pipeline.job import Job
from pipeline.passes.run import Result, running
from pipeline.recipe import load_recipe
from pipeline.store.accounting import funnel_lines
from pipeline.store.dataset import put_manifest
from pipeline.store.inputs import Inputs
from pipeline.tokens.adopt import AdoptPass
from pipeline.tokens.encode import TokenPass
from pipeline.tokens.output import manifest_of
from tokenizer.folder import tokenizer_identity
from tokenizer.shards.manifest import SPLITS, Manifest


def execute(parsed: argparse.Namespace, engine_options: list[str]) -> int:
    """Encode every dataset."""
    engine = engine_of(parsed, engine_options)
    inputs = labelled(parsed.documents)
    recipe = load_recipe(parsed.recipe, parsed.set)
    tokenizer = parsed.tokenizer or recipe.models.tokenizer
    identity = tokenizer_identity(tokenizer)
    outputs = {label: output_for(folder, parsed.output, label) for label, folder in inputs.items()}
    with running(engine, parsed.output) as run:
        datasets = find_datasets(inputs, outputs, "tokens", run, foreign=parsed.foreign)
        for dataset in datasets:
            place = dataset.place
            work = TokenPass(dataset.label, place, tokenizer, identity, recipe.tokens)
            job = Job("tokens", Inputs(()), place.root, recipe, run)
            how = {"validation_share": recipe.tokens.validation_share}
            complete(work, job, job.run_pass(work, dataset.units), how)
    return 0


def complete(work: TokenPass | AdoptPass, job: Job, result: Result, how: Mapping[str, Any]) -> None:
    """Write the manifest of a finished dataset and print its numbers.

    Args:
        work: the pass that made it.
        job: that the pass was part of.
        result: of the pass.
        how: what was done, for the manifest.
    """
    funnel, folder = result.summary.funnel, work.place.root
    funnel.check(folder)
    manifest = manifest_of(work.label, work.identity, result, {**how, "funnel": funnel.to_json()})
    put_manifest(folder, manifest.to_json(), job.manifest_seen, result.summary.tables)
    job.run.clean(folder)
    print("\n".join(funnel_lines(funnel)))
    for split in SPLITS:
        print(f"{split}: {_split_line(manifest, split)}, in {folder}/{split}")


def _split_line(manifest: Manifest, split: str) -> str:
    """What a split holds, for people."""
    shards = manifest.splits[split]
    tokens, documents, text_bytes = (
        sum(shard.tokens for shard in shards),
        sum(shard.documents for shard in shards),
        sum(shard.text_bytes for shard in shards),
    )
    rate = f", {text_bytes / tokens:.2f} bytes per token" if tokens else ""
    return f"{tokens:,} tokens in {documents:,} documents{rate}"
