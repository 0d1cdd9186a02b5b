"""Text from a model: what it writes after a prompt."""

from __future__ import annotations

import sentencepiece
import torch
from torch import nn

from tokenizer.folder import read_model_file


def generate(
    model: nn.Module,
    tokenizer: str,
    prompt: str,
    *,
    tokens: int,
    context: int,
    temperature: float = 0.8,
    top: float = 0.95,
    seed: int = 0,
) -> str:
    """The prompt and what the model writes after it, until it ends the document.

    Args:
        model: tokens to logits.
        tokenizer: folder of the tokenizer.
        prompt: may be empty.
        tokens: at most so many more.
        context: how many the model can see.
        temperature: 0 takes the likeliest token always.
        top: of all tokens, draw among the likeliest that have this much probability.
        seed: of the draws.

    Raises:
        TokenizerError: there is no tokenizer.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=read_model_file(tokenizer))
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    ids = [processor.bos_id(), *processor.encode(prompt)]
    model.eval()
    with torch.no_grad():
        for _ in range(tokens):
            seen = torch.tensor([ids[-context:]], device=device)
            logits = model(seen)[0, -1].float()
            chosen = _draw(logits, temperature, top, generator)
            if chosen == processor.eos_id():
                break
            ids.append(chosen)
    text: str = processor.decode(ids[1:])
    return text


def _draw(logits: torch.Tensor, temperature: float, top: float, generator: torch.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    shares, order = (logits / temperature).softmax(-1).sort(descending=True)
    # The token that crosses the bound still counts.
    shares[shares.cumsum(-1) - shares > top] = 0
    return int(order[torch.multinomial(shares, 1, generator=generator)])
