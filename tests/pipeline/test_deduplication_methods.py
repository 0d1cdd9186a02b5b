"""Methods of deduplication register themselves: ours by their file, others by a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from dedup_data import Result, document, write_dataset

from pipeline.deduplication import methods
from pipeline.recipe import load_recipe

# A method from outside, as a plugin has it: documents of one title.
OWN = """\
from dataclasses import dataclass

from dedup.exact import raw_keys
from dedup.preference import Preference
from pipeline.deduplication.keys import MetadataKeys
from pipeline.deduplication.methods import Method, register


@dataclass(frozen=True, kw_only=True)
class TitleSettings(Preference):
    \"\"\"[deduplication.title]: documents of one title.\"\"\"


def title_keys(titles):
    return raw_keys([title or "" for title in titles.to_pylist()])


def make_keys(settings):
    return MetadataKeys("title", settings, title_keys)


register(Method("title", TitleSettings, make_keys, summary="documents of one title"))
"""
RUN = "import sys, own_method\nfrom pipeline.cli.main import main\nsys.exit(main(sys.argv[1:]))"


def roving(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "own_method.py").write_text(OWN)
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env={"PYTHONPATH": f"{folder}:{root}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_method_from_outside_is_a_method_like_any_other(tmp_path: Path) -> None:
    assert len(OWN.splitlines()) <= 40
    documents = [
        document("a", "one", title="Wool"),
        document("b", "one and more", title="Wool"),
        document("c", "two"),
        document("d", "three"),
    ]
    write_dataset(tmp_path / "in", {"u": documents})
    arguments = ["--input", f"one={tmp_path}/in", "--output", f"{tmp_path}/out"]
    longest = ["--set", "deduplication.title.keep=longest"]
    ended = roving(tmp_path, "dedup", "title", *arguments, *longest)
    assert ended.returncode == 0, ended.stderr
    result = Result(tmp_path / "out")
    assert result.kept("one") == ["b", "c", "d"]
    assert result.rejected("one")["a"]["stage"] == "title"
    assert result.reasons("one") == {"a": "duplicate"}
    assert result.clusters("one", "title") == {"a": ("u:1", 2), "b": ("u:1", 2)}
    shown = roving(tmp_path, "dedup", "--help").stdout
    assert "\n  title       documents of one title" in shown
    origin = result.manifest("one")["recipe"]["keys"]["deduplication.title.keep"]
    assert (origin["value"], origin["default"]) == ("longest", "first")


def test_a_name_is_given_once() -> None:
    method = methods.method_of("exact")
    with pytest.raises(ValueError, match="a method of deduplication called exact already"):
        methods.register(method)


def test_every_method_has_its_section_and_says_what_it_is() -> None:
    assert {"exact", "digest", "url", "paragraphs", "lines", "minhash", "overlap"} == set(
        methods.names()
    )
    for name in methods.names():
        method = methods.method_of(name)
        settings = getattr(load_recipe("llama1").deduplication, name)
        assert method.name == name == method.keys(settings).kind
        assert isinstance(settings, method.settings)
        assert methods.summary_of(name)
