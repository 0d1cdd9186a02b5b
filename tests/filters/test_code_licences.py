"""A file's licence by all that it says: which rule decides; no statement cancels another."""

from __future__ import annotations

import time

import pytest

from filters.code import LicenceHeaderFilter
from filters.code.content import language_of
from filters.code.licence_evidence import licence_evidence
from filters.code.licence_names import licences_named
from filters.document import Document, Rejected

GPL = """\
This program is free software; you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation; either version 2 of the License, or
(at your option) any later version."""
ZLIB = """\
This software is provided 'as-is', without any express or implied warranty. In
no event will the authors be held liable for any damages arising from the use of
this software.

Permission is granted to anyone to use this software for any purpose, including
commercial applications, and to alter it and redistribute it freely, subject to
the following restrictions:

1. The origin of this software must not be misrepresented; you must not claim
   that you wrote the original software. If you use this software in a product,
   an acknowledgment in the product documentation would be appreciated but is
   not required.

2. Altered source versions must be plainly marked as such, and must not be
   misrepresented as being the original software.

3. This notice may not be removed or altered from any source distribution."""
MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE."""


def block(text: str) -> str:
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in text.split("\n")) + " */\n"


def lines(marker: str, text: str) -> str:
    return "".join(f"{marker} {line}".rstrip() + "\n" for line in text.split("\n"))


def judged(path: str, text: str, files: list[str] | None = None) -> Document | Rejected:
    metadata = {
        "path": path,
        "programming_language": language_of(path, text),
        "licence": "MIT",
        "licence_files": files,
    }
    return LicenceHeaderFilter()(Document(path, "github", text, metadata))


@pytest.mark.parametrize(
    ("path", "text", "licence", "rule"),
    [
        # No list of names knows these; the classifier does.
        ("a.c", block(ZLIB) + "int a;\n", "Zlib", "text"),
        # An owner's name is no licence, and no kept name cancels a refusal.
        (
            "a.c",
            block("Copyright (C) 2001 MIT Laboratory\n\n" + GPL) + "int a;\n",
            "GPL-2.0-or-later",
            "text",
        ),
        ("a.c", block(MIT + "\n\n" + GPL) + "int a;\n", "GPL-2.0-or-later", "text"),
        # Every comment syntax, wherever in the head.
        ("a.m", lines("##", GPL) + "\nfunction y = a (x)\nend\n", "GPL-2.0-or-later", "text"),
        ("a.pl", block(GPL) + ":- module(a, [b/2]).\nb([], 0).\n", "GPL-2.0-or-later", "text"),
        ("a.ex", lines("#", GPL) + "defmodule A do\nend\n", "GPL-2.0-or-later", "text"),
        ("a.sol", lines("//", GPL) + "contract A {}\n", "GPL-2.0-or-later", "text"),
        ("a.h", lines(";", GPL) + "mov r0, r1\n", "GPL-2.0-or-later", "text"),
        ("a.bat", lines("REM", GPL) + "cls\n", "GPL-2.0-or-later", "text"),
        (
            "a.php",
            "<?php\ndeclare(strict_types=1);\n\n" + block(GPL) + "echo 1;\n",
            "GPL-2.0-or-later",
            "text",
        ),
        (
            "a.py",
            "import os\n\n" + lines("#", GPL) + "x = 1\n",
            "GPL-2.0-or-later",
            "text",
        ),
        # Names and addresses.
        ("a.js", "// Released under the GNU LGPL v3\nlet a;\n", "LGPL-3.0-only", "name"),
        ("a.js", "// @license GPL-3.0+ \nlet a;\n", "GPL-3.0-or-later", "name"),
        ("a.py", "# License: CC BY-NC 4.0\nx = 1\n", "LicenseRef-Creative-Commons", "name"),
        (
            "a.pm",
            "# you can redistribute it under the same terms as Perl itself.\npackage a;\n",
            "Artistic-1.0-Perl",
            "name",
        ),
        ("a.c", "/* MIT and GPL licensed. */\nint a;\n", "MIT AND GPL-1.0-or-later", "name"),
        # Limits, beside a kept licence too.
        (
            "A.java",
            block('"Commons Clause" License Condition v1.0\n\nLicense: MIT License')
            + "class A {}\n",
            "Commons-Clause",
            "terms",
        ),
        (
            "a.py",
            "# This work is made available under the Heron Source Code License-NC.\nx = 1\n",
            "non-commercial",
            "terms",
        ),
        ("a.py", lines("#", MIT) + "#\n# Non-commercial use only.\n", "non-commercial", "terms"),
        ("a.c", "/* For academic use only. MIT license. */\nint a;\n", "non-commercial", "terms"),
        ("a.c", "/* Heron PROPRIETARY/CONFIDENTIAL. */\nint a;\n", "proprietary", "terms"),
        (
            "a.c",
            block(MIT + "\n\nThe Software shall be used for Good, not Evil.") + "int a;\n",
            "JSON",
            "terms",
        ),
        # A tag that restricts, and one that leaves no choice.
        ("a.c", "// SPDX-License-Identifier: MIT WITH Commons-Clause\nint a;\n", "MIT WITH", "tag"),
        ("a.c", "// SPDX-License-Identifier: MIT AND GPL-2.0-only\nint a;\n", "MIT AND", "tag"),
        (
            "a.c",
            "// SPDX-License-Identifier: MIT\n" + block(GPL) + "int a;\n",
            "GPL-2.0-or-later",
            "text",
        ),
    ],
)
def test_refused(path: str, text: str, licence: str, rule: str) -> None:
    result = judged(path, text)
    assert isinstance(result, Rejected)
    assert result.reason == "header_licence_not_allowed"
    assert result.detail.startswith(licence)
    assert f" by {rule} at " in result.detail


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.c", "/* You may not copy this file. */\nint a;\n"),
        (
            "a.c",
            "/* This code may be freely redistributed as long as herons are named. */\nint a;\n",
        ),
        ("a.c", "/* Licensed under the terms of the Heron Agreement. */\nint a;\n"),
        ("a.c", "/* Redistribution is permitted to friends of the lake. */\nint a;\n"),
        # Another file says it, and that file is no licence file above this one.
        (
            "adler32.c",
            "/*\n * For conditions of distribution and use, see copyright notice in zlib.h\n */\n"
            "int a;\n",
        ),
        ("a.c", "/* See COPYING for the license. */\nint a;\n"),
    ],
)
def test_a_grant_or_a_ban_that_nothing_explains_is_unclear(path: str, text: str) -> None:
    result = judged(path, text, ["LICENSE"])
    assert isinstance(result, Rejected)
    assert result.reason == "licence_unclear"


@pytest.mark.parametrize(
    ("text", "licence", "rule"),
    [
        ("int a;\n", "MIT", None),
        # A copyright line alone says nothing.
        ("// Copyright 2020 Ada Wren. All rights reserved.\nint a;\n", "MIT", None),
        ("// See the LICENSE file for the license.\nint a;\n", "MIT", "file"),
        ("// Licensed under the Apache License, Version 2.0\nint a;\n", "Apache-2.0", "text"),
        (block(MIT) + "int a;\n", "MIT", "text"),
        (
            "// Use of this source code is governed by a BSD-style\n"
            "// license that can be found in the LICENSE file.\nint a;\n",
            "LicenseRef-BSD",
            "name",
        ),
        ("// Dual licensed under the MIT and GPL licenses.\nint a;\n", "MIT OR GPL", "name"),
        ("// SPDX-License-Identifier: GPL-2.0 OR MIT\nint a;\n", "GPL-2.0 OR MIT", "tag"),
        # The text of the choice that a tag leaves.
        (
            "// SPDX-License-Identifier: GPL-2.0-or-later OR MIT\n" + block(GPL) + "int a;\n",
            "GPL-2.0-or-later OR MIT",
            "tag",
        ),
        (
            block(MIT + "\n\nAlternatively, this file may be used under the terms of the GPL.")
            + "int a;\n",
            "MIT OR GPL",
            "text",
        ),
        # Words of licences that are none.
        ("// Checks that the caller has permission to read the lake.\nint a;\n", "MIT", None),
        ("// A GPU is free to use this buffer.\nint a;\n", "MIT", None),
    ],
)
def test_kept_and_under_which_licence(text: str, licence: str, rule: str | None) -> None:
    result = judged("a.c", text, ["LICENSE"])
    assert isinstance(result, Document)
    assert result.metadata["licence"].startswith(licence)
    assert result.signals.get("licence_rule") == rule


def test_the_decision_can_be_reviewed() -> None:
    text = "// heron.c catches fish.\n" + block(MIT) + "int a;\n"
    result = judged("heron.c", text)
    assert isinstance(result, Document)
    signals = result.signals
    assert text[signals["licence_start"] : signals["licence_end"]].startswith(" * Permission is")
    assert signals["licence_match"] == text[signals["licence_start"] :][:500]
    assert 0.9 < signals["licence_score"] <= 1.0
    assert "THE SOFTWARE IS PROVIDED" in signals["header"]
    assert result.text == "// heron.c catches fish.\nint a;\n"


def test_a_bare_family_is_the_member_that_the_licence_file_has() -> None:
    text = "// BSD-style license, see the LICENSE file.\nint a;\n"
    metadata = {
        "programming_language": "C",
        "licence": "BSD-2-Clause",
        "licence_files": ["LICENSE"],
    }
    result = LicenceHeaderFilter()(Document("a.c", "github", text, metadata))
    assert isinstance(result, Document)
    assert result.metadata["licence"] == "BSD-2-Clause"


def test_a_file_without_any_licence_goes() -> None:
    metadata = {"programming_language": "C", "licence": ""}
    result = LicenceHeaderFilter()(Document("a.c", "github", "int a;\n", metadata))
    assert isinstance(result, Rejected)
    assert result.reason == "no_licence"


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("GNU Lesser General Public License v2.1 or later", "LGPL-2.1-or-later"),
        ("GPLv3", "GPL-3.0-only"),
        ("the GNU General Public\n   License", "GPL-1.0-or-later"),
        ("3-clause BSD license", "BSD-3-Clause"),
        ("BSD-style \n    license", "LicenseRef-BSD"),
        ("under the terms of the MIT license", "MIT"),
        ("Mozilla Public License", "MPL-2.0"),
        ("in the public domain", "LicenseRef-public-domain"),
    ],
)
def test_names(text: str, licence: str) -> None:
    assert [name.licence for name in licences_named(text)] == [licence]


@pytest.mark.parametrize(
    "text", ["a commit limits it", "General remarks", "MIT Press, 2010", "simple"]
)
def test_words_that_are_no_names(text: str) -> None:
    assert licences_named(text) == []


@pytest.mark.parametrize(
    "piece",
    [
        "// licensed under the ",
        "/* ",
        "' \" ",
        "// permission to ",
        "# license: ",
        "(c) ",
        " " * 50,
    ],
)
def test_hostile_files_take_linear_time(piece: str) -> None:
    def seconds(times: int) -> float:
        text = "// copyright " + piece * times + "\n" + ("// " + piece) * times
        started = time.process_time()
        licence_evidence(text, "C", 40_000)
        return time.process_time() - started

    seconds(10)
    assert seconds(8000) < 4 + 12 * seconds(1000)
