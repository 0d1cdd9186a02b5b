"""Options of `roving shards`."""

from __future__ import annotations

import argparse

from pipeline.cli.options import Deferred

EPILOG = """\
examples:
  roving shards ls    out/commoncrawl                # units, documents, size
  roving shards head  out/commoncrawl -n 3           # the first documents with their signals
  roving shards head  out/commoncrawl --rejected --reason low_score
  roving shards show  out/commoncrawl ID             # one document, kept or rejected, and why
  roving shards stats out/commoncrawl                # the funnel
  roving shards files out/commoncrawl                # paths of the document shards
  roving shards verify out/commoncrawl out/tokens/c4 # every byte against its checksum
  roving shards convert out/tokens/c4 --to nanogpt --output out/nanogpt
"""

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
FORMS = ("nanogpt", "llmc", "datatrove", "huggingface")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "shards",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("ls", help="list units with their documents and sizes")
    listing.set_defaults(execute=Deferred("shards", "ls"))

    head = actions.add_parser("head", help="print the first documents or rejects")
    head.add_argument("-n", type=int, default=5, help="how many (default: 5)")
    head.add_argument("--characters", type=int, default=600, help="of each text (default: 600)")
    head.add_argument("--rejected", action="store_true", help="rejects instead of documents")
    head.add_argument("--stage", help="only rejects of this stage")
    head.add_argument("--reason", help="only rejects with this reason")
    head.add_argument("--json", action="store_true", help="one JSON object a line")
    head.set_defaults(execute=Deferred("shards", "head"))

    show = actions.add_parser("show", help="print one document, kept or rejected")
    show.set_defaults(execute=Deferred("shards", "show"))

    stats = actions.add_parser("stats", help="print the funnel")
    stats.add_argument("--json", action="store_true", help="as JSON")
    stats.set_defaults(execute=Deferred("shards", "stats"))

    names = actions.add_parser("files", help="print the paths of a dataset's files, for globbing")
    names.add_argument(
        "--kind",
        default="documents",
        help="documents (default) or rejected; of tokens train or validation",
    )
    names.set_defaults(execute=Deferred("shards", "names"))

    _add_token_actions(actions)

    for action in (listing, head, show, stats, names):
        action.add_argument("dataset", help="dataset folder")
    show.add_argument("id", help="document id or URL")


def _add_token_actions(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    """Add what verifies and converts."""
    verify = actions.add_parser(
        "verify",
        help="check documents and token datasets; names the file and the bytes that are wrong",
    )
    verify.add_argument("dataset", nargs="+", help="dataset folder")
    verify.add_argument(
        "--tokenizer", metavar="PATH", help="token datasets must have been made by this one"
    )
    verify.set_defaults(execute=Deferred("verify_shards", "verify"))

    convert = actions.add_parser(
        "convert",
        help="token datasets to files of other programs, and back",
        epilog=CONVERT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument("input", nargs="+", help="token dataset, or (--from) files or folders")
    direction = convert.add_mutually_exclusive_group(required=True)
    direction.add_argument("--to", choices=FORMS, help="form to write")
    direction.add_argument("--from", dest="form", choices=FORMS, help="form to read")
    convert.add_argument("--output", required=True, help="folder to write to")
    convert.add_argument("--tokenizer", metavar="PATH", help="--from: that made the ids")
    convert.add_argument("--source", help="--from: name of the source (default: OUTPUT's name)")
    convert.set_defaults(execute=Deferred("token_shards", "convert"))
