"""A tokenizer, token datasets and configurations so small that a training run takes a second."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from token_data import BOS, EOS, documents, write_dataset
from torch.distributed.checkpoint import FileSystemReader
from torch.distributed.checkpoint.default_planner import _EmptyStateDictLoadPlanner
from torch.distributed.checkpoint.state_dict_loader import _load_state_dict

from tokenizer.flags import llama_flags
from tokenizer.shards.manifest import NAME, TokenizerIdentity, read_manifest
from trainer.checkpoint import Checkpoint
from trainer.config import Config, config_from
from trainer.parallel import Ranks
from trainer.train import Run

PIECES = 320
CONTEXT = 32


def make_tokenizer(folder: Path, seed: int = 0) -> Path:
    """A SentencePiece model of `PIECES` pieces with LLaMA's flags, on made-up words."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdefghij"), size)) for size in range(2, 9)] * 20
    lines = [" ".join(random.choice(words, 12)) for _ in range(200)]
    model = io.BytesIO()
    flags = llama_flags(PIECES, 1).trainer.stated() | {"minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        **{name: value for name, value in flags.items() if name != "input_format"},
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return folder


def identity_of(tokenizer: Path) -> TokenizerIdentity:
    """How token datasets name it."""
    content = (tokenizer / "tokenizer.model").read_bytes()
    return TokenizerIdentity(hashlib.sha256(content).hexdigest(), PIECES, BOS, EOS)


def make_tokens(folder: Path, tokenizer: Path, seed: int = 0) -> Path:
    """Datasets `books` (40 documents) and `web` (90) of random ids, both with held-out ones."""
    for number, (source, count) in enumerate({"books": 40, "web": 90}.items()):
        first = 10 * seed + 3 * number
        shards = [documents(first, count, vocabulary_size=PIECES)]
        held_out = [documents(first + 1, 8, vocabulary_size=PIECES)]
        write_split_dataset(folder / source, source, shards, held_out, identity_of(tokenizer))
    return folder


def write_split_dataset(
    folder: Path,
    source: str,
    train: list[list[list[int]]],
    validation: list[list[list[int]]],
    tokenizer: TokenizerIdentity,
) -> None:
    """A dataset with both splits."""
    manifests = []
    for split, shards in {"train": train, "validation": validation}.items():
        write_dataset(folder, shards, source=source, split=split, tokenizer=tokenizer)
        manifests.append(read_manifest(str(folder)))
    first, second = manifests
    merged = replace(
        first,
        splits={"train": first.splits["train"], "validation": second.splits["validation"]},
        files=[*first.files, *second.files],
    )
    (folder / NAME).write_text(json.dumps(merged.to_json()))


def small_config(output: Path, tokens: Path | str, tokenizer: Path | str, **changes: Any) -> Config:
    """A run of 6 steps of 8 windows on the CPU in fp32; `section__key=value` changes it."""
    data: dict[str, Any] = {
        "output": str(output),
        "device": "cpu",
        "model": {
            "dim": 32,
            "layers": 2,
            "heads": 4,
            "kv_heads": 2,
            "hidden": 64,
            "context": CONTEXT,
        },
        "data": {
            "tokens": [str(tokens)],
            "tokenizer": str(tokenizer),
            "shares": {"books": 0.25, "web": 0.75},
        },
        "training": {
            "steps": 6,
            "batch_tokens": 8 * CONTEXT,
            "micro_batch": 4,
            "precision": "fp32",
        },
        "optimizer": {"learning_rate": 0.01, "warmup_steps": 2},
        "checkpoint": {"every": 3},
        "evaluation": {"every": 0, "tokens": 256},
    }
    for name, value in changes.items():
        section, _, key = name.partition("__")
        if key:
            data[section][key] = value
        else:
            data[section] = value
    return config_from(data, "a test")


class ObservedRun(Run):
    """A run on one rank that remembers the tokens of each micro-batch."""

    def __init__(self, config: Config, start: Checkpoint | None = None) -> None:
        super().__init__(config, Ranks(0, 1, torch.device("cpu")), start)
        self.read: list[list[list[int]]] = []

    def _nats(self, batch: torch.Tensor, bos: int) -> torch.Tensor:
        self.read.append(batch.tolist())
        return super()._nats(batch, bos)


def copy_checkpoint(run: Path, step: int, target: Path) -> Path:
    """A run's folder with one checkpoint of another run, as if it had stopped there."""
    name = f"checkpoints/step-{step:08}"
    shutil.copytree(run / name, target / name)
    return target


def saved_tensors(run: Path, step: int) -> dict[str, torch.Tensor]:
    """All weights and moments of a checkpoint, by name, read without the trainer."""
    found: dict[str, Any] = {}
    _load_state_dict(
        found,
        storage_reader=FileSystemReader(run / "checkpoints" / f"step-{step:08}" / "model"),
        planner=_EmptyStateDictLoadPlanner(),
        no_dist=True,
    )
    return {
        f"{part} {name} {key}".strip(): value
        for part, name, key, value in _leaves(found)
        if isinstance(value, torch.Tensor)
    }


def _leaves(found: dict[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for name, weight in found["model"].items():
        yield "model", name, "", weight
    for name, moments in found["optimizer"]["state"].items():
        for key, value in moments.items():
            yield "optimizer", name, key, value


def losses(run: Path, value: str = "loss") -> dict[int, float]:
    """The loss, or another value, of each step that `metrics.jsonl` has."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {line["step"]: line[value] for line in lines if line["kind"] == "step"}
