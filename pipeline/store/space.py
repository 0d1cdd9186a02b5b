"""Room for two copies: what is made anew stands beside what it replaces until it is finished."""

from __future__ import annotations

import os
import shutil

from pipeline.errors import OutputError
from pipeline.store import files
from pipeline.store.commit import Place


def check_space(place: Place, share: float) -> None:
    """Fail if a disk has no room for what a step is about to make again.

    Args:
        place: of the step; what it made before says how much it will make.
        share: of its units that are to be made, 0 to 1.

    Raises:
        OutputError: there is too little.
    """
    if not files.is_local(place.root) or not os.path.isdir(place.root):  # noqa: PTH112
        return
    kinds = ("documents", "rejected", "keys", "train", "validation", "decisions")
    made = sum(file.size for kind in kinds for file in files.list_files(place.folder(kind)))
    needed, free = int(made * share), shutil.disk_usage(place.root).free
    if needed > free:
        raise OutputError(
            f"{place.root} needs about {needed:,} bytes beside what is there, which stays until "
            f"the new dataset is finished; the disk has {free:,} left. Make room, choose another "
            "--output, or delete the old dataset first"
        )
