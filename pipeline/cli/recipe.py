"""`roving recipe show`: every key of a recipe, with its value and where that is from."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson

from pipeline.cli.options import DEFAULT_RECIPE
from pipeline.errors import RecipeError
from pipeline.recipe import load_recipe, recipe_type, resolved

_WIDTH = 100
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def execute(parsed: argparse.Namespace, _: list[str]) -> int:
    """Print a recipe.

    Raises:
        RecipeError: no such recipe or section.
    """
    name, section = parsed.recipe, parsed.section
    if not section and _is_section(name):
        name, section = DEFAULT_RECIPE, name
    keys = _within(resolved(load_recipe(name, parsed.set)), section)
    if parsed.json:
        sys.stdout.write(orjson.dumps(keys, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        print("\n".join(toml_lines(keys)))
    return 0


def _is_section(text: str) -> bool:
    """Whether the only name that was given is a section's and not a recipe's."""
    sections = {one.name for one in fields(recipe_type())}
    return text.partition(".")[0] in sections and not Path(text).is_file()


def _within(keys: dict[str, dict[str, Any]], section: str) -> dict[str, dict[str, Any]]:
    if not section:
        return keys
    found = {key: one for key, one in keys.items() if f"{key}.".startswith(f"{section}.")}
    if not found:
        raise RecipeError(
            f"there is no section or key {section!r}; `roving recipe show` prints all of them"
        )
    return found


def toml_lines(keys: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A recipe as lines of TOML.

    Args:
        keys: as from `pipeline.recipe.resolved`.
    """
    tables: dict[str, list[str]] = {}
    for key, one in keys.items():
        *sections, name = key.split(".")
        for end in range(len(sections) + 1):
            lines = tables.setdefault(".".join(sections[:end]), [])
        comment = _comment(one)
        if isinstance(one["value"], dict) and one["value"]:
            inside = [f"{_key(name)} = {_value(value)}" for name, value in one["value"].items()]
            tables[key] = [f"# {comment}", *inside] if comment else inside
        else:
            lines += _assignment(name, one["value"], comment)
    blocks = [
        [f"[{section}]", *lines] if section else lines for section, lines in tables.items() if lines
    ]
    for number, block in enumerate(blocks):
        yield from ["", *block] if number else block


def _comment(one: Mapping[str, Any]) -> str:
    """Where a value is from."""
    if "default" not in one:
        return str(one["origin"])
    default = _value(one["default"])
    if len(default) > _WIDTH // 2:
        default = "another"
    origin = f" ({one['origin']})" if one["origin"] else ""
    return f"CHANGED, default {default}{origin}"


def _assignment(name: str, value: Any, comment: str) -> Iterator[str]:
    behind = f" # {comment}" if comment else ""
    line = f"{_key(name)} = {_value(value)}"
    if len(line) <= _WIDTH or not isinstance(value, list):
        yield line + behind
        return
    yield f"{_key(name)} = [{behind}"
    line = "   "
    for item in value:
        text = f" {_value(item)},"
        if len(line) + len(text) > _WIDTH:
            yield line
            line = "   "
        line += text
    yield line
    yield "]"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for this one control character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {_value(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return repr(value)
