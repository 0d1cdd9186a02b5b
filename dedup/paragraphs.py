"""Which copies of a paragraph go, decided on keys alone.

Follows CCNet (Wenzek et al. 2019, section 3.1). `keep_first` leaves the copy with the smallest
(unit, row); `remove_all`, what cc_net's code does, removes every copy of a paragraph that occurs
in more than one document. Keys are unique within a document, so equal keys mean several documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dedup.key_blocks import KeyBlock

Policy: TypeAlias = Literal["keep_first", "remove_all"]


def duplicate_rows(blocks: Sequence[KeyBlock], policy: Policy) -> list[NDArray[np.uint32]]:
    """Rows to remove from each block, ascending.

    Args:
        blocks: one for each unit, in the order of preference: earlier units keep their copy.
        policy: which copies go.
    """
    keys = np.concatenate([block.keys for block in blocks])
    rows = np.concatenate([block.rows for block in blocks])
    owners = np.repeat(np.arange(len(blocks), dtype=np.uint32), [len(block) for block in blocks])
    # Stable: equal keys stay in (unit, row) order.
    order = np.argsort(keys, kind="stable")
    keys, rows, owners = keys[order], rows[order], owners[order]
    same = keys[1:] == keys[:-1]
    removed = np.zeros(len(keys), dtype=bool)
    removed[1:] = same
    if policy == "remove_all":
        removed[:-1] |= same
    rows, owners = rows[removed], owners[removed]
    by_owner = np.argsort(owners, kind="stable")
    starts = np.cumsum(np.bincount(owners, minlength=len(blocks)))[:-1]
    return [np.sort(part) for part in np.split(rows[by_owner], starts)]
