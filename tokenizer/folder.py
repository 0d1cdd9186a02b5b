"""Reads a tokenizer's folder, or a SentencePiece model file by itself.

tokenizer.model    SentencePiece; its SHA-256 is the tokenizer's identity
card.json          flags, sample, fertility, round trip; a model by itself has none
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import sentencepiece

from tokenizer.errors import TokenizerError
from tokenizer.model_proto import Model, read_model
from tokenizer.shards.manifest import TokenizerIdentity

MODEL_FILE, CARD_FILE = "tokenizer.model", "card.json"


def model_file(path: str) -> Path:
    """The `.model` file that a path names, or the one in a tokenizer's folder."""
    return Path(path, MODEL_FILE) if Path(path).is_dir() else Path(path)


def read_model_file(path: str) -> bytes:
    """Content of a `.model` file, or of that in a tokenizer's folder.

    Raises:
        TokenizerError: there is none, or it is not the one that the card beside it describes.
    """
    file = model_file(path)
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise TokenizerError(
            f"there is no tokenizer at {path}; make one with `roving tokenizer train`"
        ) from None
    if file.name == MODEL_FILE and file.with_name(CARD_FILE).is_file():
        card = read_card(file.parent)
        if card.get("sha256") != hashlib.sha256(content).hexdigest():
            raise TokenizerError(f"{file} is not the model that {CARD_FILE} beside it describes")
    return content


def read_card(folder: Path) -> dict[str, Any]:
    """A tokenizer's card.

    Raises:
        TokenizerError: there is none, or it is damaged.
    """
    path = folder / CARD_FILE
    try:
        card = orjson.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise TokenizerError(
            f"there is no {CARD_FILE} in {folder}: no tokenizer of `roving tokenizer train`"
        ) from None
    except orjson.JSONDecodeError as error:
        raise TokenizerError(f"{path} is damaged: {error}") from None
    if not isinstance(card, dict):
        raise TokenizerError(f"{path} is damaged: it holds no card")
    return card


def load_tokenizer(path: str) -> tuple[bytes, Model, sentencepiece.SentencePieceProcessor]:
    """A tokenizer's file, what is in it, and what encodes with it.

    Raises:
        TokenizerError: there is none, or it is damaged.
    """
    content = read_model_file(path)
    model = read_model(content, path)
    try:
        return content, model, sentencepiece.SentencePieceProcessor(model_proto=content)
    except RuntimeError as error:
        raise TokenizerError(f"{path} is damaged: {error}") from None


def identity_of(
    path: str, content: bytes, processor: sentencepiece.SentencePieceProcessor
) -> TokenizerIdentity:
    """What names the tokenizer in token datasets.

    Raises:
        TokenizerError: it has no BOS or no EOS.
    """
    identity = TokenizerIdentity(
        sha256=hashlib.sha256(content).hexdigest(),
        vocabulary_size=processor.vocab_size(),
        bos_id=processor.bos_id(),
        eos_id=processor.eos_id(),
    )
    if identity.bos_id < 0 or identity.eos_id < 0:
        raise TokenizerError(f"the tokenizer {path} has no BOS or no EOS")
    return identity


def tokenizer_identity(path: str) -> TokenizerIdentity:
    """Which tokenizer a `.model` file, or the folder of one, holds.

    Raises:
        TokenizerError: there is none, it is damaged, or it has no BOS and EOS.
    """
    content, _, processor = load_tokenizer(path)
    return identity_of(path, content, processor)
