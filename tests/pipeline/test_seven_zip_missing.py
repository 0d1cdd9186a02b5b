"""Without py7zr a run on a 7z stops before any work; no source is lost for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.errors import MissingLibrary
from pipeline.readers.dump_file import check_seven_zip, open_dump, seven_zip_sizes

MAGIC = b"7z\xbc\xaf\x27\x1c" + bytes(100)


@pytest.fixture
def no_py7zr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py7zr", None)


@pytest.mark.usefixtures("no_py7zr")
@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("stackexchange", "cooking.stackexchange.com.7z"),
        ("wikipedia", "enwiki-20220801-pages-articles.xml.7z"),
    ],
)
def test_a_run_stops_before_any_work(
    source: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(MAGIC)
    arguments = ["run", source, "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert capsys.readouterr().err.endswith(
        "roving: error: 7z archives are read with py7zr: pip install py7zr\n"
    )
    assert not list((tmp_path / "out").glob("**/*.parquet"))
    assert not list((tmp_path / "out").glob("**/stats/*"))


@pytest.mark.usefixtures("no_py7zr")
def test_readers_do_not_take_it_for_damage(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(MAGIC)
    with (tmp_path / "a").open("rb") as stream, pytest.raises(MissingLibrary, match="pip install"):
        open_dump(stream, "a").read()
    with (tmp_path / "a").open("rb") as stream, pytest.raises(MissingLibrary, match="pip install"):
        seven_zip_sizes(stream)
    with pytest.raises(MissingLibrary):
        check_seven_zip(["a.xml", "B.7Z"])
    check_seven_zip(["a.xml", "b.xml.bz2"])


def test_with_py7zr_nothing_is_said() -> None:
    check_seven_zip(["a.7z"])
