"""The training loop: one process of a run, from its configuration to its last checkpoint."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tokenizer.folder import read_model_file
from tokenizer.mixture.datasets import find_datasets
from tokenizer.mixture.windows import Mixture, SourceWindows
from tokenizer.shards.reader import TokenDataset
from trainer.checkpoint import Checkpoint, Checkpointer, checkpoints, latest
from trainer.config import Config, config_data
from trainer.data import Steps, open_mixture
from trainer.errors import RunStopped, TrainerError
from trainer.evaluate import Evaluation, piece_bytes
from trainer.interruption import StopSignals, lock_output
from trainer.loss import targets_of
from trainer.model import AttentionMask, Llama, ModelSettings, document_mask
from trainer.optimizer import learning_rate_share, make_optimizer
from trainer.parallel import Ranks, fill, fitting_threads, join_ranks, spread, synchronize_on
from trainer.record import Record, peak_flops
from trainer.weights import find_checkpoint, load_model


@dataclass
class Progress:
    """What a checkpoint carries besides weights and moments."""

    step: int = 0
    windows: int = 0
    tokens: int = 0
    skipped_steps: int = 0


def train(config: Config, *, resume: bool = False) -> Path:
    """Train, from the start or from the newest checkpoint; returns the last checkpoint's folder.

    Raises:
        TrainerError: something does not fit; or the output holds a run already.
        RunStopped: Ctrl-C or SIGTERM, after a checkpoint.
    """
    folder = Path(config.output)
    with join_ranks(config.device) as ranks:
        start = latest(folder / "checkpoints") if resume else None
        if not resume and checkpoints(folder / "checkpoints"):
            raise TrainerError(
                f"{folder} holds checkpoints of a run; `roving train resume {folder}` goes on with "
                "it; for a new one choose another output, or delete the folder"
            )
        with fitting_threads(model_settings(config).parameters, ranks.device):
            run = Run(config, ranks, start)
            run.loop()
        if run.progress.step < config.steps:
            raise RunStopped(run.signals.received or signal.SIGTERM, run.progress.step)
        return latest(folder / "checkpoints").folder


class Run:
    """One rank of a run.

    Args:
        config: of the run.
        ranks: this rank among the others.
        start: where to go on.
    """

    def __init__(self, config: Config, ranks: Ranks, start: Checkpoint | None) -> None:
        self.config = config
        self.ranks = ranks
        # Fails where the warm-up does not fit, before anything is made.
        learning_rate_share(0, config.steps, config.optimizer)
        # The tokenizer's size decides the model's, and the model's context the windows'.
        settings = model_settings(config)
        self.mixture = open_mixture(config.data, settings.context)
        self.held_out = held_out(config.data.tokens, self.mixture)
        self.sizes = piece_bytes(config.data.tokenizer)
        check_tokenizer(config, self.mixture)
        self.steps = Steps(config, settings.context, ranks)
        self.identity = identity(settings, self.mixture)
        if config.training.start_from and start is None:
            begin = find_checkpoint(config.training.start_from)
            begin.check_tokenizer(self.identity["tokenizer"])
            model = load_model(begin)
            if model.settings != settings:
                raise TrainerError(
                    f"{config.training.start_from} has the shape {model.settings}, the "
                    f"configuration {settings}"
                )
        else:
            model = Llama.without_memory(settings)
        self.model = spread(model, config.training, ranks)
        if start is None and not config.training.start_from:
            model.initialize(config.training.seed, fill)
        self.settings = settings
        self.optimizer = make_optimizer(self.model, config)
        self.progress = Progress()
        if start is not None:
            start.check_fits(self.identity)
            start.load(self.model, self.optimizer)
            self.progress = Progress(**start.state["progress"])
            self._check_batches(start)
        self.signals = StopSignals(announce=ranks.is_first)
        self.is_stopping = False
        self.record: Record | None = None

    def _check_batches(self, start: Checkpoint) -> None:
        """Fail if steps before had other batches: windows would be read twice, or never."""
        step, read = self.progress.step, self.progress.windows
        planned = self.steps.windows(step).start
        if planned != read:
            raise TrainerError(
                f"{start.folder} has read {read:,} windows, {step} steps of this configuration "
                f"read {planned:,}; to change the batch from here on, keep the earlier ones by "
                f"training.batch_ramp = [..., [{step}, TOKENS]]"
            )

    @contextlib.contextmanager
    def output(self) -> Iterator[None]:
        """Hold the run's folder, and write to it; what could be wrong before it was looked at.

        Raises:
            TrainerError: another process holds it.
        """
        folder = Path(self.config.output)
        with contextlib.ExitStack() as held:
            if self.ranks.is_first:
                held.enter_context(lock_output(folder))
                self.record = self._record(folder)
            kept = self.config.checkpoint
            self.checkpointer = Checkpointer(folder / "checkpoints", kept, self.ranks)
            try:
                yield
            except BaseException:
                self.checkpointer.wait()
                raise
            self.checkpointer.finish()
            if self.record:
                self.record.close()

    def _record(self, folder: Path) -> Record:
        (folder / "config.json").write_text(json.dumps(config_data(self.config), indent=1))
        peak = peak_flops(self.ranks.device, self.config.logging.peak_teraflops)
        record = Record(
            folder,
            steps=self.config.steps,
            first_step=self.progress.step,
            flops_per_token=self.settings.training_flops_per_token,
            peak=peak * self.ranks.number if peak else None,
            tensorboard=self.config.logging.tensorboard,
        )
        record.say(
            f"{self.settings.parameters:,} parameters on {self.ranks.number} x "
            f"{self.ranks.device.type}, {len(self.mixture.names)} sources: "
            + ", ".join(self.mixture.names)
        )
        without = [name for name in self.mixture.names if name not in self.held_out]
        if without:
            record.say(f"without a window of held-out text, not evaluated: {', '.join(without)}")
        if self.progress.step >= self.config.steps:
            record.say(f"all {self.config.steps:,} steps are done; more: training.steps=...")
        return record

    def loop(self) -> None:
        """Optimizer steps until the last; checkpoints, evaluations and lines on the way.

        Ctrl-C or SIGTERM, on any rank, ends it after the step that was begun, with a checkpoint.
        """
        with self.signals, self.output():
            self._loop()

    def _loop(self) -> None:
        config, progress = self.config, self.progress
        pending_tokens = 0
        while progress.step < config.steps and not self.is_stopping:
            values = self.step()
            self.checkpointer.poll()
            pending_tokens += len(self.steps.windows(progress.step - 1)) * self.settings.context
            is_last = progress.step == config.steps
            if self.record and (progress.step % config.logging.every == 0 or is_last):
                self.record.step(progress.step, pending_tokens, values)
                pending_tokens = 0
            if self.is_stopping:
                # Who sent the signal may kill soon.
                self.save()
                self.checkpointer.finish()
            # Evaluated first: what goes on from a checkpoint would never make up for it.
            every = config.evaluation.every
            if (every and progress.step % every == 0) or is_last:
                self.evaluate()
            if (progress.step % config.checkpoint.every == 0 or is_last) and not self.is_stopping:
                self.save()

    def step(self) -> dict[str, float]:
        """One optimizer step over the global batch."""
        config, progress = self.config, self.progress
        device = self.ranks.device
        batches = list(self.steps.micro_batches(self.mixture, progress.step, device))
        bos = self.mixture.sources[0].dataset.bos_id
        counted = sum((batch[:, 1:] != bos).sum() for batch in batches)
        # The loss is a mean over the targets of all ranks and micro-batches, however many each has.
        targets = self.ranks.sum(torch.as_tensor(counted, device=device, dtype=torch.float64))
        share = learning_rate_share(progress.step, config.steps, config.optimizer)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * share
        loss = torch.zeros((), device=device, dtype=torch.float64)
        for number, batch in enumerate(batches, start=1):
            synchronize_on(self.model, number == len(batches))
            nats = self._nats(batch, bos)
            # Gradients are averaged over ranks, and are wanted summed.
            (nats * (self.ranks.number / targets).float()).backward()
            loss += nats.detach()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.optimizer.clip)
        norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        # Ranks get signals at different moments, and must end after the same step.
        stop = loss.new_tensor(bool(self.signals.received))
        loss, stops = self.ranks.sum(torch.stack([loss, stop]))
        self.is_stopping = bool(stops)
        if torch.isfinite(norm):
            self.optimizer.step()
        else:
            progress.skipped_steps += 1
            if self.record:
                self.record.say(f"step {progress.step + 1}: gradient is not finite; step skipped")
        self.optimizer.zero_grad(set_to_none=True)
        windows = self.steps.windows(progress.step)
        progress.step += 1
        progress.windows = windows.stop
        progress.tokens += len(windows) * self.settings.context
        return {
            "loss": float(loss / targets),
            "learning_rate": config.learning_rate * share,
            "gradient_norm": float(norm),
            "tokens": progress.tokens,
            "skipped_steps": progress.skipped_steps,
        }

    def _nats(self, batch: Tensor, bos: int) -> Tensor:
        """Loss of a micro-batch, summed over its targets."""
        inputs = batch[:, :-1]
        mask: AttentionMask = None
        if self.config.data.document_mask:
            # FlexAttention is fast only when compiled, and has no backward pass on CPUs.
            flex = self.ranks.device.type == "cuda" and self.config.training.compile
            mask = document_mask(inputs, bos, flex=flex)
        with autocast(self.config, self.ranks.device):
            nats: Tensor = self.model(inputs, mask, targets_of(batch, bos))
        return nats

    def evaluate(self) -> None:
        """Judge the model on the validation split of every source."""
        if not self.held_out:
            return
        evaluation = Evaluation(
            self.sizes,
            self.settings.context,
            self.config.evaluation.tokens,
            self.config.training.micro_batch,
            self.config.data.document_mask,
            self.ranks,
        )
        with autocast(self.config, self.ranks.device):
            scores = evaluation.score(self.model, self.held_out)
        if self.record:
            found = {name: score.to_json() for name, score in scores.items()}
            self.record.evaluation(self.progress.step, found)

    def save(self) -> None:
        """Save a checkpoint."""
        state = {
            "step": self.progress.step,
            "progress": asdict(self.progress),
            "identity": self.identity,
            "model": asdict(self.settings),
            "config": config_data(self.config),
        }
        self.checkpointer.save(self.model, self.optimizer, state)


@contextlib.contextmanager
def autocast(config: Config, device: torch.device) -> Iterator[None]:
    """Matrix products in bf16, where the configuration wants them."""
    narrow = config.training.precision == "bf16"
    # Each weight is used once: a cache would keep copies of all of them to the end of the pass.
    with torch.autocast(device.type, torch.bfloat16, enabled=narrow, cache_enabled=False):
        yield


def model_settings(config: Config) -> ModelSettings:
    """The model's shape with the tokenizer's vocabulary."""
    return config.model.settings(len(piece_bytes(config.data.tokenizer)))


def held_out(folders: Sequence[str], mixture: Mixture) -> dict[str, TokenDataset]:
    """The validation splits of the mixture's sources that have a window."""
    found = find_datasets(folders, "validation")
    return {
        name: found[name]
        for name in mixture.names
        if SourceWindows(found[name], mixture.length).count
    }


def tokenizer_sha256(folder: str) -> str:
    """Identity of a tokenizer."""
    return hashlib.sha256(read_model_file(folder)).hexdigest()


def check_tokenizer(config: Config, mixture: Mixture) -> None:
    """Fail if the tokens are another tokenizer's.

    Raises:
        TrainerError: they are.
    """
    dataset = mixture.sources[0].dataset
    has = tokenizer_sha256(config.data.tokenizer)
    if dataset.tokenizer_sha256 != has:
        raise TrainerError(
            f"{dataset.folder} was made by tokenizer {dataset.tokenizer_sha256[:12]}, "
            f"{config.data.tokenizer} is {has[:12]}; name the one that made the tokens"
        )


def identity(settings: ModelSettings, mixture: Mixture) -> dict[str, Any]:
    """What must not change between a checkpoint and the run that goes on with it."""
    datasets = [source.dataset for source in mixture.sources]
    return {
        "model": asdict(settings),
        "tokenizer": datasets[0].tokenizer_sha256,
        "dataset": {dataset.source: dataset.fingerprint for dataset in datasets},
        "share": dict(zip(mixture.names, mixture.order.weights.tolist(), strict=True)),
        "seed of the data": mixture.seed,
    }
