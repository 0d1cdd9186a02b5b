"""Code in fingerprints: what is run counts, whatever it says in comments; what is not, does not."""

from __future__ import annotations

import ast
import gc
import importlib
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from filters.extraction import HtmlExtractor
from filters.language import LanguageFilter
from pipeline.errors import RunFailed
from pipeline.fingerprints import modules, parts_of
from pipeline.fingerprints.code import COUNTED, ENGINE_LIBRARIES, NEUTRAL, code_of
from pipeline.fingerprints.syntax import parse
from pipeline.passes.stages import RunStage
from pipeline.passes.writer import WriteUnits
from pipeline.readers.arxiv_bulk import read_arxiv

ROOT = Path(__file__).resolve().parents[2]
RULES = '''"""Docstring."""
import helpers
from helpers import limit as bound, other
from helpers.deep import depth

TABLE = {}


def keep(text):  # comment
    """Docstring."""
    from helpers.late import late

    return len(text) < bound() and late(text)


def unused():
    return other() + depth()
'''
HELPERS = {
    "rules.py": RULES,
    "helpers/__init__.py": "from helpers.limits import limit\nfrom helpers.others import other\n",
    "helpers/limits.py": "import numpy as np\n\n\ndef limit():\n    return np.uint8(3)\n",
    "helpers/others.py": "import scipy\n\n\ndef other():\n    return scipy\n",
    "helpers/deep.py": "def depth():\n    return 1\n",
    "helpers/late.py": "def late(text):\n    return bool(text)\n",
}
_written = 0


@pytest.fixture
def forget_modules() -> Iterator[None]:
    """Each version of the user's modules is imported anew, as in another process."""
    yield
    _forget()


def _forget() -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] in ("rules", "helpers")]:
        del sys.modules[name]
    for cached in (modules.find_source, modules.is_code, modules.library_of):
        cached.cache_clear()


def rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str] | None = None
) -> ModuleType:
    """The user's module, in a folder of its own, with other content in some files."""
    global _written  # noqa: PLW0603
    _written += 1
    folder = tmp_path / str(_written)
    for name, text in (HELPERS | dict(changes or {})).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    _forget()
    importlib.invalidate_caches()
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module("rules")


def test_a_users_module_counts_with_what_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    found = parts_of(rules(tmp_path, monkeypatch).keep).named
    code = {name for name in found if name.startswith("code ")}
    assert code == {
        "code rules.py",
        "code helpers/__init__.py",
        "code helpers/limits.py",
        "code helpers/late.py",
    }
    assert "library numpy" in found
    assert "library scipy" not in found


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (("rules.py", "# comment", "# another"), False),
        (("rules.py", '"""Docstring."""\nimport', '"""Another."""\nimport'), False),
        (("rules.py", '    """Docstring."""\n    from', "    from"), False),
        (("rules.py", "TABLE = {}", "TABLE    =   {\n}"), False),
        (("rules.py", "TABLE = {}", "TABLE = {1: 2}"), True),
        (("rules.py", "len(text) < bound()", "len(text) <= bound()"), True),
        (("rules.py", "+ depth()", "- depth()"), True),
        (("rules.py", "TABLE = {}", "TABLE = {}\nUNUSED = 1"), True),
        (("helpers/limits.py", "np.uint8(3)", "np.uint8(4)"), True),
        (("helpers/late.py", "bool(text)", "not text"), True),
        (("helpers/deep.py", "return 1", "return 2"), False),
        (("helpers/others.py", "return scipy", "return 2"), False),
    ],
)
def test_an_edit(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget_modules: None,
    edit: tuple[str, str, str],
    changes: bool,
) -> None:
    name, before, after = edit
    assert before in HELPERS[name]
    first = parts_of(rules(tmp_path, monkeypatch).keep)
    edited = {name: HELPERS[name].replace(before, after)}
    second = parts_of(rules(tmp_path, monkeypatch, edited).keep)
    assert (second.fingerprint != first.fingerprint) == changes
    assert second.differences(first) == ([f"{name} is other code here"] if changes else [])


@pytest.mark.parametrize(
    "text",
    [
        "import helpers.deep\n",
        "from helpers import *\nfrom helpers.deep import *\n",
        "from helpers.deep import depth\nSEEN = []\nSEEN.append(depth)\n",
        "from helpers.deep import depth\nTABLE['a'] = depth\n",
        "from helpers import deep\n\n\n@deep.depth\ndef noted():\n    pass\n",
        "if True:\n    from helpers.deep import depth as _\n    _()\n",
        "class Base:\n    from helpers.deep import depth\n\n\nBase.depth()\n",
    ],
)
def test_what_a_module_does_by_itself_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None, text: str
) -> None:
    source = text.replace("TABLE[", "TABLE = {}\nTABLE[") + "\n\ndef keep(text):\n    return text\n"
    changes = {"rules.py": source, "helpers/deep.py": "def depth(one=None):\n    return one\n"}
    found = parts_of(rules(tmp_path, monkeypatch, changes).keep)
    assert "code helpers/deep.py" in found.named


def test_what_a_definition_refers_to_without_calling_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    imports = "from helpers import deep, late, limits, others\n\n\n"
    source = (
        f"{imports}class Base:\n    limit = limits.limit\n\n\n"
        "def keep(text, made=deep.depth):\n    return made\n\n\n"
        "class Keep(Base):\n    late: late.late\n"
    )
    module = rules(tmp_path, monkeypatch, {"rules.py": source})
    assert "code helpers/deep.py" in parts_of(module.keep).named
    found = parts_of(module.Keep).named
    assert {"code helpers/limits.py", "code helpers/late.py"} <= found.keys()
    assert not {"code helpers/deep.py", "code helpers/others.py"} & found.keys()


def test_any_name_may_be_asked_of_globals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    source = RULES.replace("late(text)", "globals()[text]")
    found = parts_of(rules(tmp_path, monkeypatch, {"rules.py": source}).keep)
    assert {"code helpers/deep.py", "code helpers/others.py", "library scipy"} <= found.named.keys()
    assert gc.isenabled()


def test_a_package_without_an_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    source = "from helpers import deep\n\n\ndef keep(text):\n    return deep.depth()\n"
    module = rules(tmp_path, monkeypatch, {"rules.py": source})
    (Path(str(module.__file__)).parent / "helpers" / "__init__.py").unlink()
    for name in [one for one in sys.modules if one.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    found = parts_of(module.keep)
    code = [name for name in found.named if name.startswith("code ")]
    assert code == ["code helpers/deep.py", "code rules.py"]


def test_what_only_type_checkers_see_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    source = (
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "from helpers import limits\nif TYPE_CHECKING:\n    from helpers import deep\n\n\n"
        "def keep(text: limits.Limit) -> deep.Depth:\n    return text\n"
    )
    found = parts_of(rules(tmp_path, monkeypatch, {"rules.py": source}).keep)
    assert [name for name in found.named if name.startswith("code")] == ["code rules.py"]


def test_only_what_a_step_runs_counts() -> None:
    page = parts_of(HtmlExtractor).named
    assert {"code filters/extraction.py", "code filters/web/weights.py"} <= page.keys()
    assert {"library trafilatura", "library resiliparse", "library lxml"} <= page.keys()
    language = parts_of(LanguageFilter).named
    assert {"library fasttext-community", "code filters/models.py"} <= language.keys()
    assert not {"library kenlm", "library sentencepiece", "library trafilatura"} & language.keys()
    papers = parts_of(read_arxiv, RunStage, WriteUnits).named.keys()
    assert {
        "code pipeline/passes/writer.py",
        "code pipeline/passes/stages.py",
        "library pyarrow",
    } <= papers
    assert not any(name.startswith("code filters/latex") for name in papers)
    assert language["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_neutral_modules_are_ours_and_are_not_followed() -> None:
    for name in NEUTRAL | COUNTED:
        assert modules.find_source(name) is not None, f"{name} moved: say where, or drop it"
    found = code_of(
        [("pipeline.passes.writer", "WriteUnits"), ("pipeline.passes.stages", "RunStage")]
    )
    neutral = {name.replace(".", "/") for name in NEUTRAL}
    assert not {path.removesuffix(".py") for path in found.modules} & neutral
    assert not found.libraries.keys() & {"apache-beam", "psutil", "pydantic"}


def imported(path: Path) -> set[str]:
    """Top modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def test_every_library_has_a_version() -> None:
    packages = ("filters", "dedup", "tokenizer", "pipeline")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    found = set().union(*map(imported, paths)) - modules.OURS - sys.stdlib_module_names
    optional = {"obstore", "py7zr", "tomli"}
    assert {"numpy", "fasttext", "stdnum", "punkt"} <= found
    assert found >= ENGINE_LIBRARIES
    for name in sorted(found - ENGINE_LIBRARIES):
        distribution, version = modules.library_of(name)
        assert version != modules.NOT_INSTALLED or name in optional, f"{name}: {distribution}"


def test_a_library_that_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget_modules: None
) -> None:
    source = "def keep(text):\n    import not_there\n\n    return not_there\n"
    found = parts_of(rules(tmp_path, monkeypatch, {"rules.py": source}).keep)
    assert found.named["library not_there"] == "not installed"


def test_a_module_that_cannot_be_found() -> None:
    with pytest.raises(RunFailed, match="the module not_there of Keep cannot be found by its name"):
        code_of([("not_there", "Keep")])


def measure(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=environment.pop("cwd", str(ROOT)),
        env={"PYTHONPATH": str(ROOT), "PATH": "", **environment},
    )
    return done.stdout.strip()


PROGRAM = """
import sys, time
from filters.latex.paper import LatexCleaner
from filters.length import LengthFilter
from pipeline.fingerprints import parts_of
assert "apache_beam" not in sys.modules
started = time.process_time()
found = parts_of(LatexCleaner, LengthFilter, {"b", "a", 3}, {"z": 1, "a": (2.5, None)}, len)
print(found.fingerprint, time.process_time() - started)
"""


def test_equal_in_every_process_folder_and_install(tmp_path: Path) -> None:
    first, seconds = measure(PROGRAM, PYTHONHASHSEED="1").split()
    assert float(seconds) < 1  # 0.1 on an idle machine
    assert measure(PROGRAM, PYTHONHASHSEED="2", cwd=str(tmp_path)).split()[0] == first
    copy = tmp_path / "site-packages"  # as a wheel is installed
    for package in ("filters", "dedup", "tokenizer", "pipeline"):
        for path in (ROOT / package).rglob("*.py"):
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    copied = measure(PROGRAM, PYTHONPATH=str(copy), cwd=str(tmp_path))
    assert copied.split()[0] == first
    edited = copy / "filters" / "length.py"
    edited.write_text(edited.read_text() + "\nADDED = 1\n")
    assert measure(PROGRAM, PYTHONPATH=str(copy), cwd=str(tmp_path)).split()[0] != first


def test_modules_of_site_packages_are_libraries() -> None:
    assert not modules.is_code("trafilatura")
    assert not modules.is_code("numpy.lib")
    assert not modules.is_code("json")
    assert modules.is_code("filters.length")
    source = modules.find_source("trafilatura")
    assert source is not None
    assert source.is_relative_to(sysconfig.get_path("purelib"))


def test_syntax_is_read_once_and_with_relative_imports() -> None:
    source = b"from . import a\nfrom ..b import c as d\nfrom .e import *\n"
    found: Any = parse(source, "one.two")
    assert parse(source, "one.two") is found
    assert {name: vars(target[0]) for name, target in found.imports.items()} == {
        "a": {"module": "one.two", "attribute": "a"},
        "d": {"module": "one.b", "attribute": "c"},
    }
    assert found.whole == ["one.two.e"]
