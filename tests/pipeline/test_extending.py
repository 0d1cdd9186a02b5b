"""The examples of docs/extending.md, run as the documentation says, each in its own process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dataset_files import every_step, rows
from extensions import examples, write_example

from pipeline.store.accounting import read_json

LIMIT = 40  # lines that an extension takes beside its rule


def roving(*arguments: str | Path, status: int = 0) -> str:
    """What a command prints."""
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def notes(folder: Path, *texts: str) -> Path:
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number}.md").write_text(f"# Note {number}\n\n{text}\n")
    return folder


QUIET = "A quiet note on wool, which is combed before it is spun. " * 8
LOUD = "THIS NOTE ON WOOL IS LOUD, AND NOBODY WANTS TO READ IT ALL. " * 8


def lines_beside_the_rule(source: str) -> int:
    """Lines of code but imports, docstrings, and the bodies of what the example is about."""
    tree = ast.parse(source)
    rule: set[int] = set()
    for node in ast.walk(tree):
        is_rule = isinstance(node, ast.FunctionDef)
        is_import = isinstance(node, (ast.Import, ast.ImportFrom))
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_rule or is_import or is_docstring:
            assert node.end_lineno is not None
            rule.update(range(node.lineno, node.end_lineno + 1))
    code = {number for number, line in enumerate(source.splitlines(), 1) if line.strip()}
    return len(code - rule)


@pytest.mark.parametrize("name", examples())
def test_an_extension_is_short(name: str) -> None:
    assert lines_beside_the_rule(examples()[name]) <= LIMIT


def test_a_filter_and_a_source_from_outside(tmp_path: Path) -> None:
    folder, output = notes(tmp_path / "in", QUIET, LOUD), tmp_path / "out"
    (folder / "2.md").write_bytes(b"\xff\xfe not UTF-8")
    plugins = [
        *("--plugin", write_example(tmp_path, "notes.py")),
        *("--plugin", write_example(tmp_path, "shouting.py")),
    ]
    settings = [
        "--set",
        'notes.filters=["shouting"]',
        "--set",
        "filters.shouting.maximum_share=0.4",
    ]
    # Workers of their own: nothing of the plugins is imported there but what travels.
    said = roving(
        "run", "notes", "--input", folder, "--output", output, *plugins, *settings, "--workers", "2"
    )
    assert "shouting" in said
    (kept,) = rows(output)
    assert (kept["source"], kept["title"]) == ("notes", "Note 0")
    assert 0 < kept["capital_share"] < 0.4
    schema = pq.read_schema(next((output / "documents").glob("*.parquet")))
    assert schema.field("capital_share").type == "double"
    dropped = {row["id"]: (row["stage"], row["reason"]) for row in rows(output, "rejected")}
    assert dropped == {"1.md": ("shouting", "shouts"), "2.md": ("read", "not_utf8")}
    manifest = read_json(str(output / "manifest.json"))
    key = manifest["recipe"]["keys"]["filters.shouting.maximum_share"]
    assert key == {
        "value": 0.4,
        "origin": "ours: an example, measured on nothing",
        "default": 0.3,
    }
    shown = roving("recipe", "show", "filters.shouting", *plugins)
    assert "maximum_share = 0.3 # ours: an example" in shown


def test_code_of_a_plugin_counts_and_comments_do_not(tmp_path: Path) -> None:
    folder, output = notes(tmp_path / "in", QUIET, LOUD), tmp_path / "out"
    source = write_example(tmp_path, "notes.py")

    def run(*changes: tuple[str, str]) -> dict[str, str]:
        rule = write_example(tmp_path, "shouting.py", *changes)
        plugins = ["--plugin", source, "--plugin", rule]
        roving(
            *("run", "notes", "--input", folder, "--output", output, *plugins),
            *("--set", 'notes.filters=["shouting"]'),
        )
        return every_step(output)

    first = run()
    assert run(("letters = sum", "# of all scripts\n        letters = sum")) == first
    other = run(("str.isupper", "str.islower"))
    assert other != first
    assert [row["id"] for row in rows(output)] == ["1.md"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("json.py", "", "the plugin json would hide another module of that name; rename it"),
        ("my-rules.py", "", "give a Python file, named as a module can be"),
        ("broken.py", "import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        (
            "twice.py",
            "from filters.optional.registry import OptionalFilter, register\n"
            "@register\nclass Mine(OptionalFilter):\n    name = 'gopher_quality'\n",
            "two filters are called 'gopher_quality'",
        ),
    ],
)
def test_what_is_no_plugin(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    said = roving("recipe", "show", "--plugin", tmp_path / name, status=2)
    assert message in said
    assert "Traceback" not in said


def test_a_filter_that_is_not_there(tmp_path: Path) -> None:
    said = roving("recipe", "show", "--set", 'books.filters=["shouting"]', status=2)
    assert "there is no filter 'shouting'; there are: gopher_quality" in said


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    said = roving("run", "notes", "--input", tmp_path, "--output", tmp_path / "out", status=2)
    assert "there is no source 'notes'; there are: arxiv, books" in said


def test_a_method_from_outside(tmp_path: Path) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name, text in (("a", QUIET), ("b", QUIET * 2), ("c", QUIET * 3)):
        (folder / f"{name}.md").write_text(f"# Note {'on wool' if name < 'c' else name}\n\n{text}")
    plugins = ["--plugin", write_example(tmp_path, "notes.py")]
    plugins += ["--plugin", write_example(tmp_path, "title.py")]
    settings = ["--set", 'notes.deduplicate=["title"]', "--set", "deduplication.title.keep=longest"]
    roving(
        *("run", "notes", "--input", folder, "--output", output, *plugins, *settings),
        *("--workers", "2"),
    )
    assert {row["id"]: row["title_cluster_size"] for row in rows(output)} == {
        "b.md": 2,
        "c.md": None,
    }
    (dropped,) = rows(output, "rejected")
    assert (dropped["id"], dropped["stage"], dropped["reason"]) == ("a.md", "title", "duplicate")
    (report,) = read_json(str(output / "manifest.json"))["deduplication"]
    assert report["method"] == "title"
    once = tmp_path / "once"
    roving("dedup", "title", "--input", output, "--output", once, *plugins)
    assert len([*rows(once / "out")]) == 2


def test_a_package_that_is_installed_announces_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder = tmp_path / "site", notes(tmp_path / "in", QUIET, LOUD)
    information = site / "loud_rules-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-rules\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[roving.plugins]\nloud = shouting\n")
    write_example(site, "shouting.py")
    root = Path(__file__).resolve().parents[2]
    monkeypatch.setenv("PYTHONPATH", f"{site}:{root}")
    plugin = ["--plugin", write_example(tmp_path, "notes.py")]
    chosen = ["--set", 'notes.filters=["shouting"]', "--workers", "2"]
    roving("run", "notes", "--input", folder, "--output", tmp_path / "out", *plugin, *chosen)
    assert [row["reason"] for row in rows(tmp_path / "out", "rejected")] == ["shouts"]
    (information / "entry_points.txt").write_text("[roving.plugins]\nloud = nowhere_at_all\n")
    said = roving("recipe", "show", status=2)
    assert "plugin loud (nowhere_at_all): ModuleNotFoundError" in said
