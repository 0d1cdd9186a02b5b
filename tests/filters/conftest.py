"""Tiny models, trained or written here from text made for these tests."""

from __future__ import annotations

import io
import json
from pathlib import Path

import fasttext
import pytest
import sentencepiece

ENGLISH = """the river rises in the hills and flows through the old town
a farmer sold his apples at the market on saturday morning
we walked along the beach until the sun went down
she wrote a long letter to her brother about the journey
the children played in the garden while it was raining
this bridge was built by workers from the northern valley"""
GERMAN = """der fluss entspringt in den bergen und fließt durch die alte stadt
ein bauer verkaufte seine äpfel am samstag auf dem markt
wir gingen am strand entlang bis die sonne unterging
sie schrieb ihrem bruder einen langen brief über die reise
die kinder spielten im garten während es regnete
diese brücke wurde von arbeitern aus dem nördlichen tal gebaut"""

# log10 probabilities and back-off weights, chosen so that sums are easy.
ARPA = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-1.0\t<unk>\t0
-99\t<s>\t-0.3
-0.5\t</s>\t0
-0.6\t▁red\t-0.2
-0.7\t▁fox\t-0.1

\\2-grams:
-0.1\t<s> ▁red
-0.2\t▁red ▁fox

\\end\\
"""


def train_fasttext(lines: list[str], folder: Path, **options: float) -> Path:
    text, model = folder / "train.txt", folder / "model.bin"
    text.write_text("\n".join(lines) + "\n", encoding="utf-8")
    fasttext.train_supervised(
        str(text), thread=1, seed=1, verbose=0, bucket=20_000, dim=8, **options
    ).save_model(str(model))
    return model


@pytest.fixture(scope="session")
def english() -> str:
    """Text that `language_identifier` was trained on as `en`."""
    return ENGLISH


@pytest.fixture(scope="session")
def german() -> str:
    """Text that `language_identifier` was trained on as `de`."""
    return GERMAN


@pytest.fixture(scope="session")
def language_identifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText model with the labels `en` and `de`."""
    lines = [f"__label__en {line}" for line in ENGLISH.split("\n")]
    lines += [f"__label__de {line}" for line in GERMAN.split("\n")]
    folder = tmp_path_factory.mktemp("lid")
    return train_fasttext(lines, folder, minn=2, maxn=4, epoch=50, lr=0.5)


@pytest.fixture(scope="session")
def reference_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText model with the labels `reference` and `other`."""
    lines = ["__label__reference the treaty was signed in the century by the council"] * 20
    lines += ["__label__other buy cheap shoes now free shipping click here"] * 20
    return train_fasttext(lines, tmp_path_factory.mktemp("reference"), epoch=20, lr=0.5)


@pytest.fixture(scope="session")
def language_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of the language `en`: one piece per word, the model ARPA above."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "en").mkdir()
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["red fox"] * 10 + ["fox red"] * 10),
        model_writer=pieces,
        model_type="word",
        vocab_size=5,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "en" / "sentencepiece.model").write_bytes(pieces.getvalue())
    (folder / "en" / "lm.binary").write_text(ARPA, encoding="utf-8")
    card = {"cutoffs": {"head": 2.0, "middle": 6.4}}
    (folder / "en" / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return folder
