"""Texts to train small tokenizers on, written for the tests: words, code, digits, scripts."""

from __future__ import annotations

import random
from functools import lru_cache

from tokenizer.flags import llama_flags
from tokenizer.model_proto import Model, read_model
from tokenizer.training import train

VOCABULARY = 700
_SYLLABLES = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo"]
_CODE = """def {a}({b}):
{indent}if {b} > {n}:
{indent}{indent}return {{"{a}": {n}}}

\t{b} = {a}({n})  # {a} {b}\r
"""


def documents(count: int = 120, seed: int = 1) -> list[str]:
    """Prose, code indented by 1 to 16 spaces, and a little of other scripts."""
    draw = random.Random(seed)
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(1, 4))) for _ in range(300)]
    found = []
    for number in range(count):
        prose = " ".join(draw.choices(words, k=80)).capitalize() + ".\n\n"
        code = "".join(
            _CODE.format(
                a=draw.choice(words),
                b=draw.choice(words),
                n=draw.randint(0, 9999),
                indent=" " * (1 + (number + line) % 16),
            )
            for line in range(4)
        )
        runs = "".join("\n" + " " * length for length in range(1, 17))
        found.append(prose + code + runs + "Это проверка. 日本語の文章 " * (number % 3))
    return found


@lru_cache(maxsize=1)
def small_model() -> bytes:
    """A model file trained on them."""
    return train(documents(), llama_flags(VOCABULARY, 2))


@lru_cache(maxsize=1)
def small_pieces() -> Model:
    return read_model(small_model())
