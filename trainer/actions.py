"""What each action of `roving train` does; `trainer.cli` has their options."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from tokenizer.folder import MODEL_FILE, load_tokenizer
from tokenizer.mixture.datasets import find_datasets
from trainer.ablation import Experiment, ablate, named_once
from trainer.ablation_report import verdict, write_report
from trainer.checkpoint import Checkpoint, latest
from trainer.config import Config, config_from, load_config
from trainer.convert import export_hugging_face, export_meta
from trainer.data import Steps, open_mixture
from trainer.errors import TrainerError
from trainer.evaluate import Evaluation, piece_bytes
from trainer.model import Llama
from trainer.parallel import Ranks, join_ranks
from trainer.plan import plan_lines
from trainer.sample import generate
from trainer.train import check_tokenizer, model_settings, tokenizer_sha256, train
from trainer.weights import find_checkpoint, import_model, load_model


def do_run(parsed: argparse.Namespace) -> int:
    """Train a new model."""
    train(load_config(parsed.config, parsed.overrides))
    return 0


def do_resume(parsed: argparse.Namespace) -> int:
    """Go on with a run."""
    overrides = [f"output={json.dumps(parsed.run)}", *parsed.overrides]
    train(_run_config(parsed.run, overrides), resume=True)
    return 0


def do_eval(parsed: argparse.Namespace) -> int:
    """Judge a model."""
    checkpoint, model, tokenizer = _open(parsed)
    datasets = find_datasets(parsed.tokens, parsed.split)
    for dataset in datasets.values():
        if dataset.tokenizer_sha256 != tokenizer_sha256(str(tokenizer)):
            raise TrainerError(f"{dataset.folder} was not made by the tokenizer in {tokenizer}")
    masked = checkpoint.state.get("config", {}).get("data", {}).get("document_mask", True)
    with join_ranks("auto") as ranks:
        evaluation = Evaluation(
            piece_bytes(str(tokenizer)),
            model.settings.context,
            parsed.limit,
            parsed.micro_batch,
            masked,
            ranks,
        )
        scores = evaluation.score(model.to(ranks.device), datasets)
        if not ranks.is_first:
            return 0
    print(f"{'source':<16}{'tokens':>12}{'loss':>10}{'perplexity':>14}{'bits/byte':>12}{'+-':>9}")
    for source, score in scores.items():
        print(
            f"{source:<16}{score.tokens:>12,}{score.loss:>10.4f}{score.perplexity:>14,.2f}"
            f"{score.bits_per_byte:>12.4f}{score.standard_error:>9.4f}"
        )
    for source in (name for name in datasets if name not in scores):
        print(f"{source:<16}not one window of {model.settings.context} tokens")
    return 0


def do_sample(parsed: argparse.Namespace) -> int:
    """Write text."""
    _, model, tokenizer = _open(parsed)
    with join_ranks("auto") as ranks:
        text = generate(
            model.to(ranks.device),
            str(tokenizer),
            parsed.prompt,
            tokens=parsed.tokens,
            context=model.settings.context,
            temperature=parsed.temperature,
            seed=parsed.seed,
        )
    print(text)
    return 0


def do_export(parsed: argparse.Namespace) -> int:
    """Write the model in another's layout."""
    _, model, tokenizer = _open(parsed)
    write = {"hf": export_hugging_face, "meta": export_meta}[parsed.format]
    write(model, Path(parsed.output), tokenizer, getattr(torch, parsed.dtype))
    print(parsed.output)
    return 0


def do_import(parsed: argparse.Namespace) -> int:
    """Make a checkpoint of a model of others."""
    print(import_model(parsed.folder, parsed.output, parsed.context))
    return 0


def do_inspect(parsed: argparse.Namespace) -> int:
    """Name the documents of a step; they are the same for any number of ranks."""
    read = _run_config if Path(parsed.config).is_dir() else load_config
    config = read(parsed.config, parsed.overrides)
    if parsed.step >= config.steps:
        raise TrainerError(f"step {parsed.step} is not one of the {config.steps}, counted from 0")
    mixture = open_mixture(config.data, model_settings(config).context)
    check_tokenizer(config, mixture)
    _, _, processor = load_tokenizer(config.data.tokenizer)
    steps = Steps(config, mixture.length, Ranks(0, 1, torch.device("cpu")))
    for window in steps.windows(parsed.step):
        source, epoch, documents = mixture.documents(window)
        head = processor.decode(mixture.read([window])[0].tolist()[:40])
        print(f"window {window}  {source}, epoch {epoch}: {head!r}")
        for record, tokens in documents:
            print(
                f"    {tokens:>6} tokens of {record.id}  {record.url or ''}  {record.licence or ''}"
            )
    return 0


def do_plan(parsed: argparse.Namespace) -> int:
    """Say what a run needs."""
    config = load_config(parsed.config, parsed.overrides)
    print("\n".join(plan_lines(config, parsed.gpus, parsed.device, parsed.mfu)))
    return 0


def do_ablate(parsed: argparse.Namespace) -> int:
    """Compare versions of the data by what a small model learns from them."""
    arms, also = named_once(parsed.arm), named_once(parsed.also)
    seeds = range(parsed.seeds)
    experiment = Experiment(arms, parsed.outside, also, seeds, parsed.own_mix)
    config = load_config(parsed.config, parsed.overrides)
    outcome = ablate(config, experiment, parsed.output)
    write_report(config, experiment, outcome, Path(parsed.output))
    print("\n".join(verdict(outcome)))
    print(f"report: {parsed.output}/report.md")
    return 0


def _run_config(run: str, overrides: Sequence[str]) -> Config:
    """The configuration of a run, with overrides."""
    state = latest(Path(run) / "checkpoints").state
    if "config" not in state:
        raise TrainerError(
            f"{run} is an imported model; begin a run with training.start_from={run}"
        )
    return config_from(state["config"], f"the configuration of {run}", overrides)


def _open(parsed: argparse.Namespace) -> tuple[Checkpoint, Llama, Path]:
    """A checkpoint, its model, and the folder of its tokenizer.

    Raises:
        TrainerError: there is none, or the tokenizer is not known or another model's.
    """
    checkpoint = find_checkpoint(parsed.model)
    state = checkpoint.state
    folder = parsed.tokenizer or state.get("config", {}).get("data", {}).get("tokenizer")
    if folder is None:
        folder = state["imported_from"]
        if not Path(folder, MODEL_FILE).is_file():
            raise TrainerError(
                f"there is no {MODEL_FILE} in {folder}, from which this model was imported; name "
                "its tokenizer with --tokenizer"
            )
    tokenizer = Path(folder)
    model = load_model(checkpoint)
    pieces = len(piece_bytes(str(tokenizer)))
    if pieces != model.settings.vocabulary_size:
        raise TrainerError(
            f"{tokenizer} has {pieces:,} pieces, the model {model.settings.vocabulary_size:,}; "
            "name the tokenizer it was trained with by --tokenizer"
        )
    checkpoint.check_tokenizer(tokenizer_sha256(str(tokenizer)))
    return checkpoint, model, tokenizer
