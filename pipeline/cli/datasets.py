"""The datasets that a command is given, and where it writes what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.deduplication.step import Documents, find_documents
from pipeline.passes.run import Run
from pipeline.store import files
from pipeline.store.dataset import MANIFEST


def find_datasets(
    folders: Mapping[str, str], outputs: Mapping[str, str], step: str, run: Run, *, foreign: bool
) -> tuple[Documents, ...]:
    """The documents of every dataset given, in order.

    Args:
        folders: of the datasets, by label.
        outputs: the new datasets' folders, by label.
        step: that makes them.
        run: of the command.
        foreign: whether folders without a manifest are taken as they are.
    """
    return tuple(
        find_documents(
            folder,
            label,
            run.place(outputs[label], step, is_last=True),
            foreign=foreign and not files.exists(files.join(folder, MANIFEST)),
        )
        for label, folder in folders.items()
    )
