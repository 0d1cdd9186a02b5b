"""Pack the hand-written submissions of `samples/source/arxiv` as arXiv's bulk tars do."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

TIME = 1_704_067_200  # 2024-01-01
# Members that no folder of sources makes: PDF only, a broken gzip, a withdrawn paper.
_OTHERS = {
    "2401/2401.00005.pdf": b"%PDF-1.4\n%a submission that is only a PDF\n",
    "2401/2401.00006.gz": gzip.compress(b"\\documentclass{article}" * 20, mtime=0)[:-9],
    "2401/2401.00007.gz": gzip.compress(b"%auto-ignore\nThis paper has been withdrawn.\n", mtime=0),
}


def build_arxiv(source: Path, output: Path) -> None:
    """Write one bulk tar a month below `output`."""
    members = dict(_OTHERS)
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        month = folder.name[:4]
        name = folder.name if "." in folder.name else f"hep-lat{folder.name}"
        members[f"{month}/{name}.gz"] = _submission(folder)
    output.mkdir(parents=True, exist_ok=True)
    for month in sorted({name.partition("/")[0] for name in members}):
        chosen = {name: data for name, data in members.items() if name.startswith(month + "/")}
        (output / f"arXiv_src_{month}_001.tar").write_bytes(_tar(chosen))


def _submission(folder: Path) -> bytes:
    """A gzipped TeX file where the folder has one file, a gzipped tar where it has more."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) == 1:
        # An old paper, in the encoding of its time.
        return gzip.compress(paths[0].read_text(encoding="utf-8").encode("latin-1"), mtime=0)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return gzip.compress(_tar(files), mtime=0)


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(files[name]), TIME
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()
