"""An exported model in lm-evaluation-harness scores a text as ours does."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from token_data import write_dataset
from training_data import CONTEXT, PIECES, identity_of

from tokenizer.mixture.datasets import find_datasets
from trainer.convert import export_hugging_face
from trainer.evaluate import Evaluation, piece_bytes
from trainer.model import Llama, ModelSettings
from trainer.parallel import Ranks

huggingface = pytest.importorskip("lm_eval.models.huggingface", reason="pip install '.[harness]'")
SETTINGS = ModelSettings(32, 2, 4, 2, 64, PIECES, CONTEXT)
WINDOWS = 5


@pytest.fixture(scope="module")
def model() -> Llama:
    made = Llama(SETTINGS)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in made.parameters():
            weight.normal_(1.0 if weight.dim() == 1 else 0.0, 0.2, generator=generator)
    return made.eval()


@pytest.fixture(scope="module")
def exported(model: Llama, tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "hf"
    export_hugging_face(model, folder, tokenizer)
    return folder


@pytest.fixture(scope="module")
def processor(tokenizer: Path) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_file=str(tokenizer / "tokenizer.model"))


def harness(exported: Path, **arguments: Any) -> Any:
    return huggingface.HFLM(pretrained=str(exported), device="cpu", batch_size=2, **arguments)


def rolling(exported: Path, text: str, **arguments: Any) -> float:
    """Nats of a text, as tasks of perplexity ask for them."""
    from lm_eval.api.instance import Instance  # noqa: PLC0415  (optional)

    asked = Instance("loglikelihood_rolling", {}, (text,), 0)
    return -float(harness(exported, **arguments).loglikelihood_rolling([asked])[0])


def whole_windows(processor: sentencepiece.SentencePieceProcessor) -> tuple[str, list[int]]:
    """A text whose tokens fill `WINDOWS` windows exactly."""
    size = WINDOWS * CONTEXT
    for start in range(100):
        words = " ".join(f"abc{number} déf 🙂 ghij" for number in range(start, start + 60))
        ids = processor.encode(words)[:size]
        text = processor.decode(ids)
        if processor.encode(text) == ids and len(ids) == size:
            return text, ids
    raise AssertionError("no text found")


def test_perplexity_is_that_of_eval(
    model: Llama,
    exported: Path,
    tokenizer: Path,
    processor: sentencepiece.SentencePieceProcessor,
    tmp_path: Path,
) -> None:
    text, ids = whole_windows(processor)
    document = [processor.bos_id(), *ids, processor.eos_id()]
    write_dataset(
        tmp_path / "one", [[document]], split="validation", tokenizer=identity_of(tokenizer)
    )
    pieces = piece_bytes(str(tokenizer))
    ranks = Ranks(0, 1, torch.device("cpu"))
    judge = Evaluation(pieces, CONTEXT, 10**6, 2, True, ranks)
    score = judge.score(model, find_datasets([str(tmp_path)], "validation"))["all"]
    assert (score.tokens, score.bytes) == (len(ids), len(text.encode()))
    nats = rolling(exported, text, add_bos_token=False)
    assert nats / math.log(2) / len(text.encode()) == pytest.approx(score.bits_per_byte, rel=1e-5)


def test_without_the_option_the_harness_puts_bos_twice(
    model: Llama, exported: Path, processor: sentencepiece.SentencePieceProcessor
) -> None:
    # The documentation tells users why `add_bos_token=False` belongs to tasks of perplexity.
    text = "abc def"
    ids = [processor.bos_id()] * 2 + processor.encode(text)
    with torch.no_grad():
        logs = model(torch.tensor([ids]))[0].log_softmax(-1)
    nats = -sum(logs[place, token].item() for place, token in enumerate(ids[1:]))
    assert rolling(exported, text) == pytest.approx(nats, rel=1e-5)
    assert rolling(exported, text, add_bos_token=False) < nats - 1


def test_choices_are_judged_after_bos(
    model: Llama, exported: Path, processor: sentencepiece.SentencePieceProcessor
) -> None:
    from lm_eval.api.instance import Instance  # noqa: PLC0415  (optional)

    context, choice = "abc def", " ghij 🙂"
    before = [processor.bos_id(), *processor.encode(context)]
    ids = [processor.bos_id(), *processor.encode(context + choice)]
    with torch.no_grad():
        logs = model(torch.tensor([ids]))[0].log_softmax(-1)
    wanted = sum(logs[place - 1, ids[place]].item() for place in range(len(before), len(ids)))
    asked = Instance("loglikelihood", {}, (context, choice), 0)
    assert harness(exported).loglikelihood([asked])[0][0] == pytest.approx(wanted, rel=1e-5)
