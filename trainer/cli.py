"""`roving train`: the command line of the trainer; under torchrun, `-m trainer`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from tokenizer.errors import TokenizerError
from trainer.errors import RunStopped, TrainerError

DESCRIPTION = """\
Train LLaMA on token datasets.

  roving train plan recipes/training/125m.toml --gpus 8
  roving train run recipes/training/125m.toml
  roving train run small.toml training.steps=200 data.tokens='["out/tokens"]'
  torchrun --nproc-per-node 8 -m trainer run large.toml training.parallel=fsdp
  roving train resume out/training
  roving train sample out/training --prompt "Once upon a time"
  roving train ablate small.toml --arm raw=out/raw --arm curated=out/tokens --outside out/other \
      --output out/ablation
"""
# What only the trainer needs: the extra `train`.
PACKAGES = ("torch", "safetensors", "matplotlib")


def build_parser() -> argparse.ArgumentParser:
    """The parser with every action."""
    parser = argparse.ArgumentParser(
        prog="roving train",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")

    run = add("run", "train a new model")
    _add_config(run)

    resume = add("resume", "go on from a run's newest checkpoint")
    resume.add_argument("run", help="folder of the run")
    _add_overrides(resume, "training.micro_batch=4")

    score = add("eval", "loss, perplexity and bits per byte, per source")
    _add_model(score)
    score.add_argument("--tokens", nargs="+", required=True, help="token datasets to judge on")
    score.add_argument(
        "--split",
        default="validation",
        choices=("train", "validation"),
        help="(default: validation)",
    )
    score.add_argument(
        "--limit",
        type=_positive,
        default=1_000_000,
        help="tokens of each source (default: a million)",
    )
    score.add_argument(
        "--micro-batch", type=_positive, default=8, help="windows at a time (default: 8)"
    )

    sample = add("sample", "what the model writes after a prompt")
    _add_model(sample)
    sample.add_argument("--prompt", default="", type=_text, help="(default: none)")
    sample.add_argument("--tokens", type=_positive, default=200, help="at most (default: 200)")
    sample.add_argument(
        "--temperature", type=_not_negative, default=0.8, help="0: likeliest always (default: 0.8)"
    )
    sample.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")

    export = add("export", "write the model as Hugging Face or Meta lay it out")
    _add_model(export)
    export.add_argument("--output", required=True, help="new folder")
    export.add_argument("--format", default="hf", choices=("hf", "meta"), help="(default: hf)")
    export.add_argument(
        "--dtype",
        default="float32",
        choices=("float32", "bfloat16", "float16"),
        help="(default: float32)",
    )

    imported = add("import", "make a checkpoint of a model of others")
    imported.add_argument("folder", help="Hugging Face's or Meta's layout")
    imported.add_argument("--output", required=True, help="folder of the new run")
    imported.add_argument(
        "--context",
        type=_positive,
        help="tokens it sees (default: what it says; Meta's layout does not: 2048)",
    )

    inspect = add("inspect", "which documents an optimizer step read")
    _add_config(inspect, "TOML file, one of ours, or folder of a run")
    inspect.add_argument("--step", type=_natural, required=True, help="counted from 0")

    plan = add("plan", "parameters, memory, epochs and time, before training")
    _add_config(plan)
    plan.add_argument("--gpus", type=_positive, default=1, help="how many (default: 1)")
    plan.add_argument("--device", default="H100", help="for its peak (default: H100)")
    plan.add_argument("--mfu", type=float, default=0.4, help="share of the peak (default: 0.4)")

    ablate = add("ablate", "whether one version of the data teaches more")
    _add_config(ablate)
    _add_named(ablate, "--arm", "token datasets; repeatable, the first is what others beat or not")
    ablate.add_argument("--outside", required=True, help="token datasets of no arm, which decide")
    _add_named(ablate, "--also", "others that are judged and do not decide; repeatable")
    ablate.add_argument("--seeds", type=_positive, default=3, help="how many (default: 3)")
    ablate.add_argument(
        "--own-mix",
        action="store_true",
        help="sources in each arm's own proportions (default: the same in all arms)",
    )
    ablate.add_argument("--output", required=True, help="folder of runs and report")
    return parser


def _add_config(
    parser: argparse.ArgumentParser, what: str = "TOML file, or one of ours: 125m"
) -> None:
    parser.add_argument("config", help=what)
    _add_overrides(parser, "training.steps=200")


def _add_overrides(parser: argparse.ArgumentParser, example: str) -> None:
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=f"e.g. {example}")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a run, or one of its checkpoints")
    parser.add_argument("--tokenizer", help="folder of the tokenizer (default: the run's)")


def _add_named(parser: argparse.ArgumentParser, option: str, what: str) -> None:
    parser.add_argument(
        option, action="append", default=[], type=_named, metavar="NAME=FOLDER", help=what
    )


def _named(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FOLDER")
    return name, folder


def _text(text: str) -> str:
    """What the shell passed; bytes that are no UTF-8 have become lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("it is not UTF-8") from None
    return text


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is below 0 or not finite")
    return number


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Overrides may also stand after options, which argparse does not see by itself."""
    parser = build_parser()
    parsed, rest = parser.parse_known_args(arguments)
    if any(text.startswith("-") for text in rest) or (rest and not hasattr(parsed, "overrides")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        parsed.overrides += rest
    return parsed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one action; returns the exit status. Torch is imported only when an action runs."""
    parsed = _parse(arguments)
    try:
        # Looked for before, because the curve is drawn when all training is done.
        for package in PACKAGES:
            if find_spec(package) is None:
                raise TrainerError(
                    f"{package} is not installed; the trainer needs: "
                    f"pip install {' '.join(PACKAGES)}"
                )
        from trainer import actions  # noqa: PLC0415  (torch takes seconds)

        status: int = getattr(actions, f"do_{parsed.action}")(parsed)
        return status
    except (TrainerError, TokenizerError) as error:
        print(f"roving train: error: {error}", file=sys.stderr)
        return 2
    except RunStopped as stopped:
        print(f"roving train: {stopped}; {_how_to_go_on(parsed)}", file=sys.stderr)
        return 128 + stopped.number
    except KeyboardInterrupt:
        print(f"\nroving train: interrupted; {_how_to_go_on(parsed)}", file=sys.stderr)
        return 130


def _how_to_go_on(parsed: argparse.Namespace) -> str:
    if parsed.action in ("run", "resume"):
        return "`roving train resume` goes on from the newest checkpoint"
    return "run the same command again"
