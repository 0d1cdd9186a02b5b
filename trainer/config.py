"""A run's configuration: one TOML file, typed, unknown keys refused, `section.key=value` overrides.

    [model]
    preset = "125m"

    [data]
    tokens = ["out/tokens"]
    tokenizer = "models/tokenizer"

Everything else has a default, and what a preset was published with is taken from it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from trainer.errors import TrainerError
from trainer.model import ModelSettings, RopeScaling
from trainer.presets import LLAMA31_ROPE_SCALING, PRESETS

# Configurations that come with the package.
CONFIGURATIONS = Path(__file__).resolve().parents[1] / "recipes" / "training"

Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]
PositiveNumber = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegativeNumber = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Section:
    """A part of the configuration; pydantic checks types, ranges and names."""

    __pydantic_config__ = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Section):
    """[model]: a preset, and what differs from it. The vocabulary is the tokenizer's."""

    preset: str = "1m"
    dim: Positive | None = None
    layers: Positive | None = None
    heads: Positive | None = None
    kv_heads: Positive | None = None
    hidden: Positive | None = None
    context: Positive | None = None
    norm_eps: PositiveNumber | None = None
    rope_theta: PositiveNumber | None = None
    llama31_rope: bool = False

    def settings(self, vocabulary_size: int) -> ModelSettings:
        """The shape.

        Raises:
            TrainerError: there is no such preset, or the numbers do not go together.
        """
        if self.preset not in PRESETS:
            raise TrainerError(
                f"there is no preset {self.preset!r}; there are {', '.join(PRESETS)}"
            )
        given = {name: value for name, value in vars(self).items() if value is not None}
        del given["preset"], given["llama31_rope"]
        scaling: RopeScaling | None = LLAMA31_ROPE_SCALING if self.llama31_rope else None
        base = PRESETS[self.preset].model
        if "heads" in given and base.heads == base.kv_heads:
            given.setdefault("kv_heads", given["heads"])
        try:
            return replace(base, vocabulary_size=vocabulary_size, rope_scaling=scaling, **given)
        except ValueError as error:
            raise TrainerError(f"[model]: {error}") from None


@dataclass(frozen=True, kw_only=True)
class DataConfig(Section):
    """[data]: what is read.

    Attributes:
        tokens: token datasets, or folders of them.
        tokenizer: folder of the tokenizer that made them.
        shares: of the tokens, by source; empty: as many as there are of each.
        seed: of the order of windows.
        document_mask: tokens see their own document only; else all that comes before.
    """

    tokens: list[str] = field(default_factory=lambda: ["out/tokens"])
    tokenizer: str = "models/tokenizer"
    shares: dict[str, NotNegativeNumber] = field(default_factory=dict)
    seed: int = 0
    document_mask: bool = True


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Section):
    """[training]: how long, in which steps.

    Attributes:
        steps: optimizer steps; 0: as many as the preset's tokens take.
        batch_tokens: of one step, all ranks together; 0: the preset's.
        batch_ramp: [[until_step, tokens], ...]: smaller batches until a step.
        micro_batch: windows of one forward pass of one rank.
        seed: of the weights.
        start_from: a run or checkpoint whose weights to begin with, instead of random ones.
        precision: of the matrix products; weights and optimizer are fp32.
        compile: torch.compile on each block.
        checkpointing: activations to compute again: none, selective (all but matrix products'
            outputs, as LLaMA did) or full.
        parallel: ddp copies the model to every rank, fsdp shards it.
    """

    steps: NotNegative = 0
    batch_tokens: NotNegative = 0
    batch_ramp: list[tuple[NotNegative, Positive]] = field(default_factory=list)
    micro_batch: Positive = 8
    seed: int = 0
    start_from: str = ""
    precision: Literal["fp32", "bf16"] = "bf16"
    compile: bool = False
    checkpointing: Literal["none", "selective", "full"] = "none"
    parallel: Literal["ddp", "fsdp"] = "ddp"


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig(Section):
    """[optimizer]: AdamW and its schedule, LLaMA's unless said otherwise.

    Attributes:
        learning_rate: peak; 0: the preset's.
        warmup_steps: from 0 to the peak; not given: 2000, at most a tenth of the run.
        schedule: cosine to the end; wsd stays at the peak and falls in the last `decay_share`.
        final_share: of the peak, at the last step.
        weight_decay: of matrices; norms have none.
        clip: largest norm of the gradient.
    """

    learning_rate: NotNegativeNumber = 0.0
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.95
    eps: NotNegativeNumber = 1e-8
    weight_decay: NotNegativeNumber = 0.1
    clip: PositiveNumber = 1.0
    warmup_steps: NotNegative | None = None
    schedule: Literal["cosine", "wsd"] = "cosine"
    final_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    decay_share: Annotated[float, Field(gt=0, le=1)] = 0.1


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig(Section):
    """[checkpoint]: one every `every` steps and at the end.

    Attributes:
        keep: how many stay.
        keep_every: those of every so many steps stay too; 0: none.
    """

    every: Positive = 500
    keep: Positive = 2
    keep_every: NotNegative = 0


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig(Section):
    """[evaluation]: on the validation split, every `every` steps (0: never) and at the end.

    Attributes:
        tokens: at most so many of each source.
    """

    every: NotNegative = 500
    tokens: Positive = 1_000_000


@dataclass(frozen=True, kw_only=True)
class LoggingConfig(Section):
    """[logging]: `metrics.jsonl` and `loss.png` are always written.

    Attributes:
        every: steps between lines.
        tensorboard: also write event files, for the `tensorboard` package.
        peak_teraflops: of the device, for MFU; 0: from a table of known devices.
    """

    every: Positive = 1
    tensorboard: bool = False
    peak_teraflops: NotNegativeNumber = 0.0


@dataclass(frozen=True, kw_only=True)
class Config(Section):
    """Everything that decides a run."""

    output: str = "out/training"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)

    @property
    def learning_rate(self) -> float:
        return self.optimizer.learning_rate or PRESETS[self.model.preset].learning_rate

    @property
    def batch_tokens(self) -> int:
        return self.training.batch_tokens or PRESETS[self.model.preset].batch_tokens

    @property
    def steps(self) -> int:
        wanted = max(1, round(PRESETS[self.model.preset].training_tokens / self.batch_tokens))
        return self.training.steps or wanted


_ADAPTER = TypeAdapter(Config)


def load_config(path: str, overrides: Sequence[str] = ()) -> Config:
    """Read a configuration and apply `section.key=value` overrides, whose values are TOML.

    Args:
        path: a TOML file, or the name of one that comes with the package: `125m`.
        overrides: each `section.key=value`.

    Raises:
        TrainerError: no such file, not TOML, an unknown key, or a value that cannot be.
    """
    named = CONFIGURATIONS / f"{path}.toml"
    is_name = "/" not in path and named.is_file() and not Path(path).exists()
    try:
        data = tomllib.loads((named if is_name else Path(path)).read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = ", ".join(sorted(file.stem for file in CONFIGURATIONS.glob("*.toml")))
        raise TrainerError(
            f"there is no configuration {path!r}; give a TOML file, or the name of one of ours: "
            f"{names}"
        ) from None
    except (OSError, ValueError) as error:
        raise TrainerError(f"{path} cannot be read as TOML: {error}") from None
    return config_from(data, path, overrides)


def config_from(data: dict[str, Any], where: str, overrides: Sequence[str] = ()) -> Config:
    """A configuration from plain data, as a checkpoint has it, and overrides.

    Raises:
        TrainerError: an unknown key, or a value that cannot be; `where` it stands is said.
    """
    for override in overrides:
        _apply(data, override)
    try:
        # A date, which TOML knows and JSON does not, ends as a string of the wrong type.
        config = _ADAPTER.validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        )
        raise TrainerError(f"{where}: {problems}") from None
    config.model.settings(vocabulary_size=2)
    return config


def config_data(config: Config) -> dict[str, Any]:
    """A configuration as plain data, from which `config_from` makes it again."""
    data: dict[str, Any] = _ADAPTER.dump_python(config, mode="json")
    return data


def _apply(data: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise TrainerError(f"{override}: write an override as section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise TrainerError(f"{override}: {section} is no section")
    data[last] = value
