"""`roving tokenize`: make token datasets from documents datasets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.accounting import funnel_lines, sum_funnels, write_json
from pipeline.cli.arguments import engine_of, labelled, output_for
from pipeline.dataset import Dataset
from pipeline.deduplication.step import find_documents
from pipeline.job import Job
from pipeline.locking import lock_output
from pipeline.recipe import load_recipe
from pipeline.runner import Workers
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
    datasets = [
        find_documents(folder, label, output_for(folder, parsed.output, label))
        for label, folder in inputs.items()
    ]
    with lock_output(parsed.output), Workers(engine) as workers:
        for dataset in datasets:
            work = TokenPass(dataset.label, dataset.output, tokenizer, identity, recipe.tokens)
            job = Job("tokens", dataset.folder, dataset.output, recipe, engine, workers)
            committed = job.run_pass(work, dataset.units)
            complete(work, committed, {"validation_share": recipe.tokens.validation_share})
    return 0


def complete(
    work: TokenPass | AdoptPass, committed: Sequence[dict[str, Any]], how: Mapping[str, Any]
) -> None:
    """Write the manifest of a finished dataset and print its numbers.

    Args:
        work: the pass that made it.
        committed: stats of its units.
        how: what was done, for the manifest.
    """
    funnel = sum_funnels(committed)
    funnel.check(work.folder)
    made = {**how, "funnel": funnel.to_json()}
    manifest = manifest_of(work.label, work.identity, committed, made)
    write_json(Dataset(work.folder).manifest_path, manifest.to_json())
    print("\n".join(funnel_lines(funnel)))
    for split in SPLITS:
        print(f"{split}: {_split_line(manifest, split)}, in {work.folder}/{split}")


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
