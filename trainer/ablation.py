"""Does curation help? The same small model on two or more versions of the data, judged alike.

Arms differ in their token datasets only: same tokenizer, shape, token budget and shares of sources,
and for each seed the same first weights. All are judged on the same held-out text: each arm's
validation split (documents that the hash of their id keeps out of every arm), and text from outside
all arms, which decides. Differences are paired by seed; p is that of a paired t-test over seeds.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from tokenizer.mixture.datasets import find_datasets
from tokenizer.mixture.plan import plan
from tokenizer.mixture.windows import SourceWindows
from tokenizer.shards.reader import TokenDataset, check_same_tokenizer
from trainer.checkpoint import checkpoints
from trainer.config import Config, DataConfig, config_data, config_from
from trainer.data import Steps, natural_shares, open_mixture
from trainer.errors import TrainerError
from trainer.evaluate import Evaluation, Score, piece_bytes
from trainer.parallel import Ranks, join_ranks
from trainer.train import autocast, check_tokenizer, identity, model_settings, train
from trainer.weights import load_model

ONE_RANK = Ranks(0, 1, torch.device("cpu"))
OUTSIDE = "outside"
ALL = "all"
# What of a configuration changes no weight: where a run is, and what is said of it.
_UNIMPORTANT = ("output", "checkpoint", "evaluation", "logging", "device")

Datasets: TypeAlias = Mapping[str, TokenDataset]
# Bits per byte of every seed: by what is judged on, then source, then arm.
Scores: TypeAlias = dict[str, dict[str, dict[str, list[float]]]]


@dataclass(frozen=True)
class Experiment:
    """What is compared, and on what.

    Attributes:
        arms: folder of token datasets by name; the first is what others are compared with.
        outside: folder of token datasets that no arm was made from; their training split decides.
        also: further folders of such, by name, which do not decide.
        seeds: of weights and order.
        own_mix: each arm has its sources in the proportions it has them in; else all have those of
            what every arm has at least, so that they differ by curation only and none repeats a
            source much more than others. Shares that the configuration gives go before.
    """

    arms: Mapping[str, str]
    outside: str
    also: Mapping[str, str]
    seeds: Sequence[int]
    own_mix: bool = False

    def __post_init__(self) -> None:
        if len(self.arms) < 2:
            raise TrainerError("an ablation compares two arms or more: --arm NAME=FOLDER")
        for name in (*self.arms, *self.also):
            if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name == OUTSIDE:
                raise TrainerError(f"{name!r} cannot be the name of an arm or of what is judged on")
        if both := sorted(set(self.arms) & set(self.also)):
            raise TrainerError(f"{both[0]!r} is an arm and judged on as well; rename one")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise TrainerError("an ablation needs seeds, each once")


@dataclass(frozen=True)
class Comparison:
    """Two arms on one text, in bits per byte.

    Attributes:
        judged, source: on what.
        base, other: names of the arms.
        means: of base and other.
        difference: of the means, other minus base; below 0 the other is better.
        interval: 95 % confidence of the difference, over seeds; NaN with one seed.
        p: of no difference, two-sided; NaN with one seed.
    """

    judged: str
    source: str
    base: str
    other: str
    means: tuple[float, float]
    difference: float
    interval: tuple[float, float]
    p: float


@dataclass(frozen=True)
class Outcome:
    """What an ablation found.

    Attributes:
        scores: bits per byte.
        sizes: tokens and bytes that were judged, by what is judged on and source.
        comparisons: of every arm with the first.
        tokens: that each run read.
        shares: of the sources, by arm.
        epochs: how often a source's training tokens were read, by arm.
        runs: folder of every run by arm and seed.
    """

    scores: Scores
    sizes: dict[str, dict[str, tuple[int, int]]]
    comparisons: list[Comparison]
    tokens: int
    shares: dict[str, dict[str, float]]
    epochs: dict[str, dict[str, float]]
    runs: dict[tuple[str, int], Path]


def named_once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Folders by name.

    Raises:
        TrainerError: a name is given twice.
    """
    folders = dict(pairs)
    if len(folders) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TrainerError(f"the name {twice!r} is given twice")
    return folders


def ablate(config: Config, experiment: Experiment, output: str) -> Outcome:
    """Train every arm with every seed below `output`, and judge.

    What is trained already is not trained again; what was interrupted goes on.

    Args:
        config: of every run; its tokens, seeds and output are set here.
        experiment: what is compared.
        output: folder.

    Raises:
        TrainerError: the arms cannot be compared, or the output holds runs of something else.
        TokenizerError: a dataset is missing or damaged, or another tokenizer's.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise TrainerError("the models of an ablation are small: start it without torchrun")
    length = model_settings(config).context
    training = _training_sets(experiment.arms, length)
    judged = _judged_sets(experiment, list(next(iter(training.values()))), length)
    every = [one for sets in (training, judged) for each in sets.values() for one in each.values()]
    check_same_tokenizer(every)
    shares = _shares(config.data, training, own=experiment.own_mix)
    runs = {
        (arm, seed): _run(config, datasets, shares[arm], seed, Path(output, arm, f"seed-{seed}"))
        for seed in experiment.seeds
        for arm, datasets in training.items()
    }
    for (arm, seed), run in runs.items():
        _train(run, f"{arm}, seed {seed}")
    scores: Scores = {}
    sizes: dict[str, dict[str, tuple[int, int]]] = {}
    for (arm, _), run in runs.items():
        for name, found in _judge(run, judged).items():
            for source, score in found.items():
                by_arm = scores.setdefault(name, {}).setdefault(source, {})
                by_arm.setdefault(arm, []).append(score.bits_per_byte)
                sizes.setdefault(name, {})[source] = score.tokens, score.bytes
    tokens = Steps(config, length, ONE_RANK).windows(config.steps - 1).stop * length
    epochs = {
        arm: {row.source: row.epochs for row in plan(datasets, shares[arm], tokens, length)}
        for arm, datasets in training.items()
    }
    folders = {key: Path(run.output) for key, run in runs.items()}
    return Outcome(scores, sizes, compare(scores), tokens, shares, epochs, folders)


def compare(scores: Scores) -> list[Comparison]:
    """Every arm against the first, on everything that was judged."""
    return [
        _comparison(judged, source, base, other, by_arm)
        for judged, sources in scores.items()
        for source, by_arm in sources.items()
        for base in list(by_arm)[:1]
        for other in list(by_arm)[1:]
    ]


def _comparison(
    judged: str, source: str, base: str, other: str, by_arm: Mapping[str, list[float]]
) -> Comparison:
    first, second = np.array(by_arm[base]), np.array(by_arm[other])
    means = float(first.mean()), float(second.mean())
    difference = float((second - first).mean())
    interval, p = (math.nan, math.nan), math.nan
    if len(first) > 1 and (first == second).all():
        interval, p = (0.0, 0.0), 1.0  # a t-test divides 0 by 0
    elif len(first) > 1:
        from scipy.stats import ttest_rel  # noqa: PLC0415  (a second, for ablations only)

        test = ttest_rel(second, first)
        found = test.confidence_interval()
        interval, p = (float(found.low), float(found.high)), float(test.pvalue)
    return Comparison(judged, source, base, other, means, difference, interval, p)


def _training_sets(arms: Mapping[str, str], length: int) -> dict[str, Datasets]:
    """Datasets of every arm, of the sources that all arms have at least a window of."""
    found = {
        arm: {
            source: dataset
            for source, dataset in find_datasets([folder]).items()
            if SourceWindows(dataset, length).count
        }
        for arm, folder in arms.items()
    }
    common = set.intersection(*(set(datasets) for datasets in found.values()))
    if not common:
        raise TrainerError(
            f"there is no source of which every arm has a window of {length} tokens to train on"
        )
    for arm, datasets in found.items():
        if left_out := sorted(set(datasets) - common):
            print(f"{arm}: without {', '.join(left_out)}, which not every arm has")
    return {
        arm: {source: dataset for source, dataset in datasets.items() if source in common}
        for arm, datasets in found.items()
    }


def _judged_sets(experiment: Experiment, sources: list[str], length: int) -> dict[str, Datasets]:
    """What every arm is judged on: the outside first, validation splits last.

    Raises:
        TrainerError: one of them has no window.
    """
    found: dict[str, Datasets] = {OUTSIDE: find_datasets([experiment.outside])}
    found |= {name: find_datasets([folder]) for name, folder in experiment.also.items()}
    for arm, folder in experiment.arms.items():
        held_out = find_datasets([folder], "validation")
        found[arm] = {source: held_out[source] for source in sources}
    for name, datasets in found.items():
        if not any(SourceWindows(dataset, length).count for dataset in datasets.values()):
            split = "validation" if name in experiment.arms else "training"
            raise TrainerError(
                f"{name} has no window of {length} tokens to judge on in its {split} split; make "
                f"its tokens with another tokens.validation_share, or of more text"
            )
    return found


def _shares(
    config: DataConfig, training: Mapping[str, Datasets], *, own: bool
) -> dict[str, dict[str, float]]:
    """Shares of the sources by arm."""
    if config.shares:
        return dict.fromkeys(training, config.shares)
    tokens = {
        arm: {source: dataset.tokens for source, dataset in datasets.items()}
        for arm, datasets in training.items()
    }
    if own:
        return {arm: natural_shares(found) for arm, found in tokens.items()}
    sources = next(iter(tokens.values()))
    least = {source: min(found[source] for found in tokens.values()) for source in sources}
    return dict.fromkeys(training, natural_shares(least))


def _run(
    config: Config, datasets: Datasets, shares: dict[str, float], seed: int, folder: Path
) -> Config:
    """The configuration of one run."""
    tokens = [dataset.folder for dataset in datasets.values()]
    return replace(
        config,
        output=str(folder),
        data=replace(config.data, tokens=tokens, shares=shares, seed=seed),
        training=replace(config.training, seed=seed),
        evaluation=replace(config.evaluation, every=0),
    )


def _train(run: Config, label: str) -> None:
    """Train, or go on, unless it is done.

    Raises:
        TrainerError: there is a run of another configuration or of other data; or the tokenizer is
            not the one of the tokens.
    """
    settings = model_settings(run)
    mixture = open_mixture(run.data, settings.context)
    check_tokenizer(run, mixture)
    found = checkpoints(Path(run.output) / "checkpoints")
    if found:
        # Keys that came later have their defaults.
        had = config_data(config_from(found[-1].state["config"], run.output))
        changed = [
            f"{section}.{key}"
            for section, values in config_data(run).items()
            if section not in _UNIMPORTANT
            for key, value in values.items()
            if had[section][key] != value
        ]
        if changed:
            raise TrainerError(
                f"{run.output} was trained with another {', '.join(changed)}; choose another "
                "--output, or delete the folder"
            )
        found[-1].check_fits(identity(settings, mixture))
    if not found or found[-1].step < run.steps:
        print(f"== {label}")
        train(run, resume=bool(found))


def _judge(run: Config, judged: Mapping[str, Datasets]) -> dict[str, dict[str, Score]]:
    """Scores of a finished run."""
    with join_ranks(run.device) as ranks:
        model = load_model(checkpoints(Path(run.output) / "checkpoints")[-1]).to(ranks.device)
        evaluation = Evaluation(
            piece_bytes(run.data.tokenizer),
            model.settings.context,
            run.evaluation.tokens,
            run.training.micro_batch,
            run.data.document_mask,
            ranks,
        )
        with autocast(run, ranks.device):
            return {name: evaluation.score(model, datasets) for name, datasets in judged.items()}
