"""Where a paper's text begins: at its first section, or at the prose that stands before it.

LLaMA removes everything before the first section. Letters have none in front, or begin before it:
their first section is `Methods`, `Acknowledgments` or a supplement behind the bibliography.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Chinese and Japanese have no spaces: there, a character is a word.
_WORD = re.compile(r"[\u3040-\u9fff]|[^\W\d_\u3040-\u9fff]+")
_MATH = re.compile(r"\$\$?[^$]*\$\$?")
# Environments that only set type: what stands in them is text like any other.
_TRANSPARENT = frozenset(
    f"{name}{star}}}"
    for name in (
        *("multicols", "spacing", "doublespace", "doublespacing", "singlespace", "singlespacing"),
        *("onehalfspace", "linenumbers", "internallinenumbers", "flushleft", "justify", "small"),
        *("large", "normalsize", "sloppypar", "widetext", "frontmatter", "document", "quote"),
    )
    for star in ("", "*")
)


def prose_words(tokens: Sequence[str]) -> int:
    """Words of running text: outside mathematics, groups, arguments and environments."""
    level = 0
    parts: list[str] = []
    for token in tokens:
        if token[0] == "\\":
            if token.startswith("\\begin{") and token[7:] not in _TRANSPARENT:
                level += 1
            elif token.startswith("\\end{") and token[5:] not in _TRANSPARENT:
                level -= level > 0
        elif token == "{":
            level += 1
        elif token == "}":
            level -= level > 0
        elif not level:
            parts.append(token)
    return len(_WORD.findall(_MATH.sub(" ", "".join(parts))))
