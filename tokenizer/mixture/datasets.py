"""Finds the token datasets of a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizer.errors import TokenizerError
from tokenizer.shards.reader import TokenDataset


def find_datasets(folders: Sequence[str], split: str = "train") -> dict[str, TokenDataset]:
    """Token datasets by source: the folders themselves, or what is in them.

    Raises:
        TokenizerError: there is none, or there are two of one source.
    """
    found: dict[str, TokenDataset] = {}
    for folder in folders:
        itself = Path(folder, "manifest.json").is_file()
        inside = sorted(path.parent for path in Path(folder).glob("*/manifest.json"))
        if not itself and not inside:
            raise TokenizerError(
                f"there is no token dataset in {folder}; make them by `roving tokenize`"
            )
        for path in [Path(folder)] if itself else inside:
            dataset = TokenDataset.open(str(path), split)
            if dataset.source in found:
                raise TokenizerError(
                    f"{found[dataset.source].folder} and {path} are both of {dataset.source}"
                )
            found[dataset.source] = dataset
    return found
