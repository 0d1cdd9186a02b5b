"""A worker with other models, libraries or code refuses to go on, and says what is other."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from filters.language import LanguageFilter
from filters.paths import Model
from pipeline.errors import RunFailed
from pipeline.fingerprints import Fingerprinted, Parts, check, parts_of
from pipeline.recipe import RECIPES, load_recipe

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = load_recipe(str(RECIPES / "llama1.toml")).commoncrawl.language
WORKER = """
import pickle, sys
from pipeline.errors import RunFailed
from pipeline.fingerprints import check, parts_of
expected, stages = pickle.load(sys.stdin.buffer)
try:
    check(expected, parts_of(*stages))
except RunFailed as error:
    print(error)
"""


def work_there(folder: Path, expected: Parts, *stages: Any, path: str = "") -> str:
    """What a worker in a folder says, which got the stages as an engine sends them."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, str(ROOT)]))}
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        input=pickle.dumps((expected, stages)),
        capture_output=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@pytest.fixture
def here(tmp_path: Path, lid_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a model under a relative path."""
    folder = tmp_path / "here"
    (folder / "models").mkdir(parents=True)
    shutil.copy(lid_model, folder / "models" / "my.ftz")
    monkeypatch.chdir(folder)
    return folder


def test_the_same_worker_goes_on(here: Path) -> None:
    stage = LanguageFilter(SETTINGS, "models/my.ftz")
    expected = parts_of(stage)
    assert len(pickle.dumps(expected)) < 3000
    assert work_there(here, expected, stage) == ""


def test_another_model_under_the_same_name(here: Path, tmp_path: Path) -> None:
    stage = LanguageFilter(SETTINGS, "models/my.ftz")
    there = tmp_path / "there"
    (there / "models").mkdir(parents=True)
    (there / "models" / "my.ftz").write_bytes(b"another model")
    assert work_there(there, parts_of(stage), stage) == (
        "a worker would make other text: the model models/my.ftz is another one here. Give every "
        "worker the models, libraries and code of the machine that starts the run"
    )


def test_other_code_of_a_filter(here: Path, tmp_path: Path) -> None:
    stage = LanguageFilter(SETTINGS, "models/my.ftz")
    shutil.copytree(ROOT / "filters", tmp_path / "code" / "filters")
    module = tmp_path / "code" / "filters" / "language.py"
    expected = parts_of(stage)
    module.write_text(module.read_text() + "\n# a comment\n")
    assert work_there(here, expected, stage, path=str(tmp_path / "code")) == ""
    module.write_text(module.read_text().replace("SLICE = 32", "SLICE = 33"))
    found = work_there(here, expected, stage, path=str(tmp_path / "code"))
    assert "other text: filters/language.py is other code here. Give" in found


def test_another_version_of_a_library(here: Path, tmp_path: Path) -> None:
    stage = LanguageFilter(SETTINGS, "models/my.ftz")
    expected = parts_of(stage)
    version = expected.named["library fasttext-community"]
    metadata = tmp_path / "libraries" / "fasttext_community-0.0.1.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: fasttext-community\nVersion: 0.0.1\n")
    found = work_there(here, expected, stage, path=str(tmp_path / "libraries"))
    assert f"fasttext-community is 0.0.1 here and was {version} when the run was started" in found


def test_every_difference_is_a_sentence() -> None:
    both = {"python": "3.11", "model m": "1", "settings": "1"}
    started = {**both, "library a": "1", "code b.py": "1"}
    here = {**dict.fromkeys(both, "2"), "library c": "2", "code d.py": "1"}
    with pytest.raises(RunFailed) as refused:
        check(Parts(started, "one"), Parts(here, "two"))
    assert str(refused.value).startswith(
        "a worker would make other text: Python is 2 here and was 3.11 when the run was started; "
        "the model m is another one here; a is not used here and was when the run was started; "
        "c is used here and was not when the run was started; b.py is not used here and was when "
        "the run was started; d.py is used here and was not when the run was started and 1 more. "
    )


@dataclass(frozen=True)
class Step(Fingerprinted):
    model: str

    def decided_by(self) -> tuple[Any, ...]:
        return (Model(self.model),)


def test_a_step_carries_what_it_was_started_with(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"one")
    step = Step(str(model))
    before = step.fingerprint
    model.write_bytes(b"another")
    sent = pickle.loads(pickle.dumps(step))
    assert sent.fingerprint == before
    with pytest.raises(RunFailed, match=f"the model {model} is another one here"):
        sent.check()
    Step(str(model)).check()
