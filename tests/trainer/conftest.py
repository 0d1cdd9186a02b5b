"""Fixtures of the trainer's tests; `token_data` of the tokenizer's tests is imported by them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).resolve().parent.parent / "tokenizer"))

from training_data import make_tokenizer, make_tokens


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tokenizer of 320 pieces."""
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    """Folder of two token datasets, `books` and `web`, with held-out documents."""
    return make_tokens(tmp_path_factory.mktemp("tokens"), tokenizer)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tensors of these tests are too small for more, and machines that test are busy."""
    torch.set_num_threads(1)
