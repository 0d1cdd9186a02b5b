"""Files whose names are no UTF-8: read under an escaped name, and nothing else is lost."""

from __future__ import annotations

import io
import os
from pathlib import Path

from github_data import CODE, MIT, write_tar
from test_github_source import rows_of, run

from filters.document import Document
from pipeline.readers.records import BadRecord
from pipeline.sources.github.inputs import find_repositories, unit_of_repository
from pipeline.sources.github.repositories import ReadRepository
from pipeline.sources.github.settings import GithubInputSettings, LicenceSettings

NAMES = (b"a.py", b"line\nbreak.py", b"m\xff\xe9.py", b"z.py", "\ufffdE9.py".encode())
INPUT = GithubInputSettings(
    maximum_file_bytes=10_000,
    maximum_archive_bytes=1_000_000,
    maximum_row_bytes=10_000,
    slice_bytes=1_000_000,
)
LICENCES = LicenceSettings(allowed=("MIT",), minimum_coverage=75.0)


def write_repository(folder: bytes) -> None:
    Path(os.fsdecode(folder + b"/caf\xe9")).mkdir(parents=True)
    with open(folder + b"/LICENSE", "wb") as file:
        file.write(MIT.encode())
    for name in (*NAMES, *(b"caf\xe9/" + name for name in NAMES)):
        with open(folder + b"/" + name, "wb") as file:
            file.write(CODE.encode() + b"# %d %d\n" % (len(name), name[0]))


def test_a_repository_with_odd_names(tmp_path: Path) -> None:
    write_repository(os.fsencode(tmp_path / "in" / "ada" / "heron"))
    write_repository(os.fsencode(tmp_path / "in" / "ada") + b"/gr\xfcn")
    write_tar(
        tmp_path / "in" / "ada" / os.fsdecode(b"t\xe4r.tar"), {"LICENSE": MIT, "t.py": CODE}, "w"
    )
    run(tmp_path / "in", tmp_path / "out", "--set", "github.deduplicate=[]")
    names = [
        "a.py",
        "line\nbreak.py",
        "m\ufffdFF\ufffdE9.py",
        "z.py",
        "\ufffdEF\ufffdBF\ufffdBDE9.py",
    ]
    expected = {
        f"ada/{repository}@{folder}{name}"
        for repository in ("heron", "gr\ufffdFCn")
        for folder in ("", "caf\ufffdE9/")
        for name in names
    }
    kept = rows_of(tmp_path / "out", "documents")
    assert set(kept) == expected | {"ada/t\ufffdE4r@t.py"}
    assert {row["reason"] for row in rows_of(tmp_path / "out", "rejected").values()} == {
        "licence_file"
    }
    row = kept["ada/heron@caf\ufffdE9/m\ufffdFF\ufffdE9.py"]
    assert row["text"] == f"{CODE}# 11 {ord('c')}\n"


def read(folder: Path, work: Path) -> dict[str, str]:
    """Reasons by id, empty for a document."""
    (repository,) = find_repositories(str(folder))
    unit = unit_of_repository(repository, str(work))
    (folder / "gone.py").unlink()
    (folder / "folder.py").unlink()
    (folder / "folder.py").mkdir()
    # The files of a folder are opened by name.
    records = ReadRepository(INPUT, LICENCES)(io.BytesIO(), unit)
    return {
        record.id: record.reason if isinstance(record, BadRecord) else ""
        for record in records
        if isinstance(record, BadRecord | Document)
    }


def test_a_file_that_cannot_be_opened_costs_itself(tmp_path: Path) -> None:
    folder = tmp_path / "heron"
    folder.mkdir()
    (folder / "LICENSE").write_text(MIT)
    for name in ("a.py", "folder.py", "gone.py", "z.py"):
        (folder / name).write_text(CODE)
    assert read(folder, tmp_path / "work") == {
        "heron@LICENSE": "",
        "heron@a.py": "",
        "heron@folder.py": "unreadable_file",
        "heron@gone.py": "unreadable_file",
        "heron@z.py": "",
    }


def test_a_licence_that_cannot_be_opened_is_not_recognised(tmp_path: Path) -> None:
    folder = tmp_path / "heron"
    (folder / "gone.py").parent.mkdir()
    for name in ("gone.py", "folder.py", "a.py"):
        (folder / name).write_text(CODE)
    (folder / "LICENSE").write_text(MIT)
    (repository,) = find_repositories(str(folder))
    unit = unit_of_repository(repository, str(tmp_path / "work"))
    (folder / "LICENSE").unlink()
    records = ReadRepository(INPUT, LICENCES)(io.BytesIO(), unit)
    found = {record.id: record.reason for record in records if isinstance(record, BadRecord)}
    assert found["heron@a.py"] == "licence_not_recognised"
