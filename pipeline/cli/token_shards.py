"""`roving shards convert`: token datasets in the forms of other programs."""

from __future__ import annotations

import argparse

from pipeline.cli.arguments import check_label
from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.cli.tokenize import complete
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.passes.engine import Engine
from pipeline.passes.run import running
from pipeline.recipe import load_recipe
from pipeline.store import files
from pipeline.store.inputs import Inputs
from pipeline.tokens.adopt import AdoptPass, find_token_files
from pipeline.tokens.export import export_tokens
from tokenizer.folder import tokenizer_identity


def convert(parsed: argparse.Namespace, _: list[str]) -> int:
    """Write a dataset in the form of another program, or read one."""
    if parsed.to is not None:
        if len(parsed.input) > 1:
            raise InputError("--to takes one token dataset; convert them one by one")
        for path in export_tokens(parsed.input[0], parsed.to, parsed.output):
            print(path)
        return 0
    if parsed.tokenizer is None:
        raise InputError("--from needs --tokenizer: the files do not say what their ids mean")
    units = find_token_files(parsed.input, parsed.form)
    label = parsed.source or files.split(parsed.output.rstrip("/"))[1]
    check_label(f"--source {label}", label)
    identity = tokenizer_identity(parsed.tokenizer)
    recipe = load_recipe(DEFAULT_RECIPE)
    with running(Engine(), parsed.output) as run:
        job = Job("tokens", Inputs(()), parsed.output, recipe, run)
        place = job.place("tokens", is_last=True)
        work = AdoptPass(label, place, parsed.form, parsed.tokenizer, identity)
        complete(work, job, job.run_pass(work, units), {"form": parsed.form})
    return 0
