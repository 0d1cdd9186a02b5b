"""`roving shards verify` and `roving shards convert`."""

from __future__ import annotations

import argparse

from pipeline import files
from pipeline.accounting import read_json
from pipeline.cli.options import DEFAULT_RECIPE, check_label
from pipeline.cli.tokenize import complete
from pipeline.cli.visible import visible_line
from pipeline.dataset import Dataset
from pipeline.errors import InputError
from pipeline.job import Job
from pipeline.locking import lock_output
from pipeline.recipe import load_recipe
from pipeline.runner import Engine, Workers
from pipeline.tokens.adopt import AdoptPass, find_token_files
from pipeline.tokens.export import EXPORTS, export_tokens
from pipeline.verify import verify_documents
from tokenizer.folder import tokenizer_identity
from tokenizer.shards.manifest import (
    KIND,
    Manifest,
    TokenizerIdentity,
    different_tokenizers,
)
from tokenizer.shards.verify import verify_tokens

DAMAGED = 1

CONVERT_EPILOG = """\
examples:
  roving shards convert out/tokens/books --to nanogpt     --output out/nanogpt/books
  roving shards convert out/tokens/books --to huggingface --output out/hf/books
  roving shards convert data/fineweb --from llmc --source fineweb \\
      --tokenizer models/tokenizer --output out/tokens/fineweb

forms:
  nanogpt      train.bin and val.bin: 16-bit ids, nothing else
  llmc         SOURCE_train_000000.bin...: a header, then 16-bit ids
  datatrove    train/*.ds with *.ds.index
  huggingface  train/*.parquet with input_ids: datasets.load_dataset("out/hf/books")

Files that come in go to the validation split if their name, or their folder's, says `val` or
`validation`. BOS and EOS are added where a document has none.
"""


def add_actions(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add both to the actions of `roving shards`."""
    verify = actions.add_parser(
        "verify",
        help="check documents and token datasets; names the file and the bytes that are wrong",
    )
    verify.add_argument("dataset", nargs="+", help="dataset folder")
    verify.add_argument(
        "--tokenizer", metavar="PATH", help="token datasets must have been made by this one"
    )
    verify.set_defaults(execute=_verify)

    convert = actions.add_parser(
        "convert",
        help="token datasets to files of other programs, and back",
        epilog=CONVERT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument("input", nargs="+", help="token dataset, or (--from) files or folders")
    direction = convert.add_mutually_exclusive_group(required=True)
    direction.add_argument("--to", choices=tuple(EXPORTS), help="form to write")
    direction.add_argument("--from", dest="form", choices=tuple(EXPORTS), help="form to read")
    convert.add_argument("--output", required=True, help="folder to write to")
    convert.add_argument("--tokenizer", metavar="PATH", help="--from: that made the ids")
    convert.add_argument("--source", help="--from: name of the source (default: OUTPUT's name)")
    convert.set_defaults(execute=_convert)


def _verify(parsed: argparse.Namespace, _: list[str]) -> int:
    """Check every dataset; the status says whether all are sound."""
    expected = tokenizer_identity(parsed.tokenizer) if parsed.tokenizer else None
    sound = True
    seen: list[tuple[str, TokenizerIdentity]] = []
    for folder in parsed.dataset:
        if _is_token_dataset(folder):
            report = verify_tokens(folder, expected)
            damage, manifest = list(report.damage), report.manifest
            summary = _summary(manifest) if manifest else ""
            if manifest is not None:
                seen.append((folder, manifest.tokenizer))
        else:
            damage = list(verify_documents(folder))
            summary = "a documents dataset"
        for one in damage:
            print(visible_line(str(one)))
        print(f"{folder}: DAMAGED" if damage else f"{folder}: sound, {summary}")
        sound = sound and not damage
    for folder, identity in seen[1:]:
        if identity != seen[0][1]:
            sound = False
            print(different_tokenizers(seen[0], (folder, identity)))
    return 0 if sound else DAMAGED


def _is_token_dataset(folder: str) -> bool:
    path = Dataset(folder).manifest_path
    if not files.exists(path):
        raise InputError(
            f"{folder} is no dataset, or is not finished: there is no manifest.json in it"
        )
    try:
        manifest = read_json(path)
    except ValueError:  # damaged: what else is there tells
        return not files.list_files(files.join(folder, "documents"))
    return isinstance(manifest, dict) and manifest.get("kind") == KIND


def _summary(manifest: Manifest) -> str:
    shards = [shard for split in manifest.splits.values() for shard in split]
    return (
        f"{sum(shard.tokens for shard in shards):,} tokens in "
        f"{sum(shard.documents for shard in shards):,} documents"
    )


def _convert(parsed: argparse.Namespace, _: list[str]) -> int:
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
    work = AdoptPass(label, parsed.output, parsed.form, parsed.tokenizer, identity)
    recipe, engine = load_recipe(DEFAULT_RECIPE), Engine()
    with lock_output(parsed.output), Workers(engine) as workers:
        job = Job("tokens", "", parsed.output, recipe, engine, workers)
        complete(work, job.run_pass(work, units), {"form": parsed.form})
    return 0
