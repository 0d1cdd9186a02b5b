"""CPU time of hostile wikitext grows as its length: measured alone, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HOSTILE = {
    "hidden spans": (20_000, "'Text. <span ' + 'display:none ' * n"),
    "hidden tags": (20_000, "'<span style=\"display:' * n"),
    "range in convert": (10_000, "'{{convert|1' + '|to|2' * n + '}}'"),
    "parameters with links": (10_000, "'{{nowrap|' + '[[a|b]] |' * n + '}}'"),
    "open links in parameters": (10_000, "'{{nowrap|' + '[[a |' * n + '}}'"),
    "templates in templates": (10_000, "'{{nowrap|' * n + 'x' + '}}' * n"),
    "holes": (10_000, "'a {{frob}}, ' * n + '({{frob}}' * n"),
    "indented lines": (20_000, "'\\n a  b' * n + '\\n ' + ' ' * n"),
    "one indented line": (100_000, "'\\n ' + 'a ' * n"),
    "superscripts": (10_000, "'<sup>' * n + 'a<sup>b</sup>' * n"),
    "quoted addresses": (10_000, '"[http://a\'b" * n + "[http://a\'\'b" * n'),
    "braces and gaps": (10_000, "'{{{frob}} ' * n + '}' * n"),
}
PROGRAM = """
import time
from filters.wikitext import clean_wikitext
def seconds(n):
    text = {expression}
    started = time.process_time()
    clean_wikitext(text, language="en", title="T", dropped_sections=())
    return time.process_time() - started
seconds(10)
print(min(seconds({n}) for _ in range(2)), seconds(4 * {n}))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_four_times_the_text_takes_about_four_times_as_long(name: str) -> None:
    n, expression = HOSTILE[name]
    program = PROGRAM.format(expression=expression, n=n)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    short, long = map(float, run.stdout.split())
    # 16 times would be quadratic; below some hundredths of a second the clock tells nothing.
    assert long < 8 * short + 0.1, (short, long)
