"""Licence headers go; everything else at a file's top stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.code import LicenceHeaderFilter, LicenceHeaderSettings
from filters.code.headers import without_header
from filters.code.languages import LANGUAGES
from filters.code.licence_expressions import allowed_expression, licence_tags
from filters.document import Document, Rejected

HEAD = 20_000
APACHE = """\
Copyright 2011 The Heron Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License."""
BSD = """\
Copyright (c) 2009, Ada Wren <ada at example dot org>,
                    Bo Finch <bo@example.org>
All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are met:

  * Redistributions of source code must retain the above copyright notice,
    this list of conditions and the following disclaimer.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS"
AND ANY EXPRESS OR IMPLIED WARRANTIES ARE DISCLAIMED. IN NO EVENT SHALL THE
COPYRIGHT OWNER BE LIABLE FOR ANY DAMAGES, EVEN IF ADVISED OF THE
POSSIBILITY OF SUCH DAMAGE."""
MIT = """\
The MIT License (MIT)

Copyright © 2013-2015 Ada Wren

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software, to deal in the Software without restriction, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND. IN NO EVENT
SHALL THE AUTHORS BE LIABLE FOR ANY CLAIM, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


def line_comment(marker: str, text: str) -> str:
    return "".join(f"{marker} {line}".rstrip() + "\n" for line in text.split("\n"))


def block_comment(opener: str, closer: str, text: str) -> str:
    return f"{opener}\n{text}\n{closer}\n"


def cleaned(text: str, language: str) -> str:
    return without_header(text, language, HEAD)[0]


@pytest.mark.parametrize("licence", [APACHE, BSD, MIT])
@pytest.mark.parametrize(
    ("language", "marker"),
    [
        ("Python", "#"),
        ("Go", "//"),
        ("Lua", "--"),
        ("TeX", "%"),
        ("Fortran Free Form", "!"),
        ("Fortran", "C"),
        ("Batchfile", "REM"),
        ("Assembly", ";"),
        ("Visual Basic", "'"),
        ("SQL", "--"),
        ("PHP", "//"),
    ],
)
def test_line_comments(language: str, marker: str, licence: str) -> None:
    assert cleaned(line_comment(marker, licence) + "\nbody(1)\n", language) == "body(1)\n"


@pytest.mark.parametrize("licence", [APACHE, BSD, MIT])
@pytest.mark.parametrize(
    ("language", "opener", "closer"),
    [
        ("C", "/*", " */"),
        ("CSS", "/*!", "*/"),
        ("HTML", "<!--", "-->"),
        ("XML", "<!--", "-->"),
        ("Haskell", "{-", "-}"),
        ("Lua", "--[[", "]]"),
        ("Julia", "#=", "=#"),
        ("PowerShell", "<#", "#>"),
        ("Ruby", "=begin", "=end"),
        ("SQL", "/*", "*/"),
    ],
)
def test_block_comments(language: str, opener: str, closer: str, licence: str) -> None:
    assert cleaned(block_comment(opener, closer, licence) + "\nbody\n", language) == "body\n"


@pytest.mark.parametrize(
    ("language", "kept"),
    [
        # What RedPajama's rule loses.
        ("Shell", "#!/bin/sh\n"),
        ("Python", "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n"),
        ("Ruby", "# frozen_string_literal: true\n"),
        ("Go", "//go:build linux\n"),
        ("PHP", "<?php\n"),
        ("XML", '<?xml version="1.0"?>\n'),
        ("TeX", "% !TEX program = lualatex\n"),
        ("C", "#pragma once\n"),
        ("Perl", "# vim: set ts=4 sw=4:\n"),
    ],
)
def test_lines_for_machines_stay_above_a_header(language: str, kept: str) -> None:
    marker = {"Go": "//", "PHP": "#", "TeX": "%", "C": "//"}.get(language, "#")
    header = line_comment(marker, APACHE)
    if language == "XML":
        header = block_comment("<!--", "-->", APACHE)
    assert cleaned(kept + header + "body\n", language) == kept + "body\n"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("C", "#include <stdio.h>\n#include <math.h>\nint main;\n"),
        ("Shell", "#!/bin/sh\n# Builds all of it.\nmake\n"),
        ("Python", "# -*- coding: latin-1 -*-\nimport os\n"),
        ("Markdown", "# Heron\n\nCopyright law in ten pages.\n"),
        ("Markdown", "# Licensed under the MIT licence\n"),
        ("reStructuredText", "Copyright 2010\n==============\n"),
        ("SQL", "-- one row for each bird\nSELECT 1;\n"),
        # Words about licences that are no notice.
        ("Python", "# Reads the license field of a package file.\nx = 1\n"),
        ("Go", "// Package licence finds copyright notices in sources.\npackage licence\n"),
        ("Java", "/** The following example shows how you can use this class. */\nclass A {}\n"),
        ("Python", 'text = "Copyright 2010"\n# Copyright 2010 Ada Wren\n'),
        ("C", "/* Copyright 2010 Ada Wren */ int a;\n"),
        ("C", "/* Copyright 2010, and never closed\nint a;\n"),
        # An unknown language has no comments.
        ("", "# Copyright 2010 Ada Wren\n"),
    ],
)
def test_untouched(language: str, text: str) -> None:
    assert cleaned(text, language) == text


def test_a_line_header_goes_though_a_block_comment_follows() -> None:
    """RedPajama keeps it: it stops at the first block comment anywhere."""
    text = "// Copyright 2010 Ada Wren\n\nint a;\n/* the second */\nint b;\n"
    assert cleaned(text, "C") == "int a;\n/* the second */\nint b;\n"


def test_a_comment_below_code_stays() -> None:
    """RedPajama cuts the first block comment wherever it stands."""
    text = "int a;\n/* Copyright 2010 Ada Wren */\nint b;\n"
    assert cleaned(text, "C") == text


def test_a_description_beside_the_licence_stays() -> None:
    text = "/* heron.c -- catches fish\n *\n * It waits.\n *\n"
    licence = "".join(f" * {line}".rstrip() + "\n" for line in BSD.split("\n"))
    rest = " *\n * Usage: heron POND\n */\nint a;\n"
    assert cleaned(text + licence + rest, "C") == text + rest.removeprefix(" *\n")


def test_the_opener_of_a_block_stays_when_its_line_goes() -> None:
    text = "/* Copyright (C) 2009 Ada Wren\n *\n * heron.c catches fish. */\nint a;\n"
    assert cleaned(text, "C") == "/*\n * heron.c catches fish. */\nint a;\n"


def test_the_closer_of_a_block_stays_when_its_line_goes() -> None:
    text = "/* heron.c catches fish.\n *\n * All rights reserved. */\nint a;\n"
    assert cleaned(text, "C") == "/* heron.c catches fish.\n */\nint a;\n"


def test_lines_between_copyright_and_pointer() -> None:
    text = (
        "/* trees.c -- output deflated data\n"
        " * Copyright (C) 1995 Ada Wren\n"
        " * detect_kind() given by Bo Finch\n"
        " * For conditions of distribution and use, see copyright notice in heron.h\n"
        " */\nint a;\n"
    )
    expected = (
        "/* trees.c -- output deflated data\n * detect_kind() given by Bo Finch\n */\nint a;\n"
    )
    assert cleaned(text, "C") == expected


def test_a_new_sentence_on_a_new_line_is_no_longer_the_notice() -> None:
    text = "# Licensed under the MIT license.\n# This module counts the birds of a lake.\nx = 1\n"
    assert cleaned(text, "Python") == "# This module counts the birds of a lake.\nx = 1\n"


def test_a_second_header_after_a_remark() -> None:
    text = "// Ported from the old one.\n\n// Copyright 2011 Ada Wren.\n\npackage heron\n"
    assert cleaned(text, "Go") == "// Ported from the old one.\n\npackage heron\n"


def test_a_header_beyond_the_head_stays() -> None:
    text = line_comment("#", APACHE) + "x = 1\n"
    assert without_header(text, "Python", 20) == (text, "")


@pytest.mark.parametrize(
    ("language", "header"),
    [
        # The end of a disclaimer, in capitals and on a line of its own.
        (
            "C",
            '/* IT IS PROVIDED "AS IS". THE USE OR OTHER DEALINGS IN\n  THE SOFTWARE.\n*/',
        ),
        # Justified by spaces.
        ("C", "/* Permission is  hereby granted,  free  of charge,  to any  person. */"),
        ("C", "/* This software is licensed as described in the file COPYING. */"),
        ("C", "// Part of the Heron Project, under the Apache License v2.0 with Exceptions."),
        ("C++", "// Modifications copyright (c) 2015-2019, Ada Wren."),
        ("C++", "// Taken from heron, Copyright 2004 Ada Wren"),
        ("C++", "// See http://www.boost.org/LICENSE_1_0.txt"),
        ("C", "/** @copyright Ada Wren 2010 */"),
        ("CSS", "/*! heron.css v8.0.1 | MIT License | github.com/ada/heron.css */"),
        ("JavaScript", "/*! heron v3.6.1 | (c) Ada Wren | heron.org/license */"),
        ("JavaScript", "/*\n * Licensed MIT © Ada Wren\n */"),
        ("C++", "// $QT_BEGIN_LICENSE:BSD$\n// You may use this file under the terms of the BSD"),
        ("Python", "# ----------( LICENSE )----------\n# Copyright (c) 2014 Ada Wren."),
        ("Python", "# Licensed to PSF under a Contributor Agreement."),
        ("Python", '"""\nCopyright 2010 Ada Wren\n\nLicensed under the MIT License.\n"""'),
        ("Java", "/* DO NOT ALTER OR REMOVE COPYRIGHT NOTICES OR THIS FILE HEADER. */"),
    ],
)
def test_notices_of_many_shapes_go(language: str, header: str) -> None:
    assert cleaned(header + "\nbody\n", language) == "body\n"


def test_a_header_below_the_package_line() -> None:
    text = "package heron;\n\n/* Copyright 2010 Ada Wren */\nclass A {}\n"
    assert cleaned(text, "Java") == "package heron;\n\nclass A {}\n"


def test_a_docstring_stays_beside_its_notice() -> None:
    text = '"""Birds of a lake.\n\n:copyright: (c) 2010 by Ada Wren.\n:license: BSD\n"""\nx = 1\n'
    assert cleaned(text, "Python") == '"""Birds of a lake.\n"""\nx = 1\n'


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("Shell", "# Saves permissions and ownership of a working tree.\nls\n"),
        ("C", "/* The following macros came with permission of their author. */\nint a;\n"),
        ("Rust", "//! Changes made while holding both locks are reliably visible.\nfn a() {}\n"),
        ("Python", '"""Find the licence of a repository."""\nx = 1\n'),
    ],
)
def test_words_like_those_of_licences_stay(language: str, text: str) -> None:
    assert cleaned(text, language) == text


def test_pathological_comments_take_linear_time() -> None:
    """Would not end, if a pattern backtracked."""
    for piece in ("// provided under the " * 2000, "/*" * 20_000, "// copyright " * 3000 + "\n"):
        cleaned(piece, "C")


_LINES = st.lists(
    st.sampled_from(
        [
            *(
                f"{mark} {word}"
                for mark in ("#", "//", "*", "--", "%", "/*")
                for word in (
                    "Copyright 2010 A",
                    "uses it",
                    "Licensed under the MIT License",
                    "",
                    "-*- c -*-",
                )
            ),
            *("*/", "/* one */", "x = 1", "", "#!/bin/sh", "<!--", "-->", "<?php"),
        ]
    ),
    max_size=12,
)


@given(_LINES, st.sampled_from(sorted(LANGUAGES)))
def test_only_whole_lines_go_and_never_any_of_code(lines: list[str], language: str) -> None:
    text = "\n".join(lines)
    result, removed = without_header(text, language, HEAD)
    if not removed:
        assert result == text
    rest = iter(lines)
    for line in result.split("\n"):
        if line.strip() not in ("/*", "*/", "<!--", "-->"):
            assert line == "" or any(line == before for before in rest)
    assert result.count("x = 1") == text.count("x = 1")


@given(_LINES, st.sampled_from(sorted(LANGUAGES)))
def test_a_second_time_changes_nothing_that_names_no_licence(
    lines: list[str], language: str
) -> None:
    text = "\n".join(line for line in lines if "opyright" not in line and "icense" not in line)
    assert cleaned(text, language) == text


def licence_filter() -> LicenceHeaderFilter:
    settings = LicenceHeaderSettings(enabled=True, head_characters=HEAD)
    return LicenceHeaderFilter(settings, ("MIT", "Apache-2.0", "BSD-3-Clause"))


def run(text: str, language: str = "C") -> Document | Rejected:
    metadata = {"programming_language": language, "licence": "MIT"}
    return licence_filter()(Document("a@b", "github", text, metadata))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("SPDX-License-Identifier: MIT", ""),
        ("SPDX-License-Identifier: GPL-2.0-only", "header_licence_not_allowed"),
        ("SPDX-License-Identifier: (GPL-2.0 OR MIT)", ""),
        ("SPDX-License-Identifier: GPL-2.0 AND MIT", "header_licence_not_allowed"),
        ("SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception", ""),
        (
            "You can redistribute it under the GNU General Public\n// License",
            "header_licence_not_allowed",
        ),
        ("Copyright A. Dual licensed under the MIT and GPL licenses.", ""),
        (
            "Copyright A. This Source Code is subject to the terms of the Mozilla Public License",
            "header_licence_not_allowed",
        ),
    ],
)
def test_files_under_another_licence_than_their_repository(header: str, reason: str) -> None:
    result = run(f"// {header}\nint a;\n")
    assert (result.reason if isinstance(result, Rejected) else "") == reason


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        # The tag below the first code, in a docstring, in a language whose comments are unknown.
        (
            "Java",
            "package heron;\nimport b;\n// SPDX-License-Identifier: GPL-3.0-only\n",
            "GPL-3.0-only",
        ),
        (
            "Python",
            '"""Herons.\n\nSPDX-License-Identifier: LicenseRef-Own\n"""\n',
            "LicenseRef-Own",
        ),
        ("reStructuredText", ".. SPDX-License-Identifier: GFDL-1.3\n\nHerons\n", "GFDL-1.3"),
        ("XML", "<!-- SPDX-License-Identifier: MIT -->\n<a/>\n", ""),
        # A program's text about tags is no tag.
        ("Python", 'text = "# SPDX-License-Identifier: GPL-2.0"\n', ""),
        (
            "C",
            "/* Unauthorized copying of this file is forbidden. */\nint a;\n",
            "proprietary",
        ),
        (
            "Lua",
            "-- It may be used under the LaTeX Project Public License.\nx = 1\n",
            "LPPL-1.3c",
        ),
    ],
)
def test_files_that_contradict_their_repository(language: str, text: str, reason: str) -> None:
    result = run(text, language)
    if reason:
        assert isinstance(result, Rejected)
        assert result.reason == "header_licence_not_allowed"
        assert result.detail.startswith(f"{reason} by ")
    else:
        assert isinstance(result, Document)


def test_nothing_but_a_header_is_empty() -> None:
    text = block_comment("/*", "*/", APACHE)
    assert run(text) == Rejected("empty", "nothing but a licence header")


def test_removed_characters_are_counted() -> None:
    result = run("// Copyright 2010 Ada Wren\nint a;\n")
    assert isinstance(result, Document)
    assert result.signals["header_characters"] == 27


def test_expressions() -> None:
    allowed = {"mit", "apache-2.0"}
    assert allowed_expression("mit", allowed)
    assert allowed_expression("GPL-2.0 OR (MIT AND Apache-2.0)", allowed)
    assert allowed_expression("(MIT OR GPL-2.0) AND Apache-2.0 WITH LLVM-exception", allowed)
    # Brackets bind: there is no choice without the first.
    assert not allowed_expression("GPL-2.0 AND (MIT OR Apache-2.0)", allowed)
    assert allowed_expression("Apache 2.0", allowed)
    assert allowed_expression("MIT License", allowed)
    for malformed in ("(" * 200, "MIT OR", "MIT)", "AND MIT", "(MIT", "MIT (Apache-2.0)"):
        assert not allowed_expression(malformed, allowed), malformed
    assert not allowed_expression("MIT AND GPL-2.0", allowed)
    assert not allowed_expression("", allowed)
    assert licence_tags("// nothing here") == []


CLAUSES = """\
1. Redistributions of source code must retain the above copyright notice, this
   list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice,
   this list of conditions and the following disclaimer in the documentation
   and/or other materials provided with the distribution.

3. {third} of the copyright holder nor the names of its contributors
   may be used to endorse or promote products derived from this software without
   specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND
ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED."""


@pytest.mark.parametrize(
    "licence",
    [
        "Redistribution and use of this software in source and binary forms,\n"
        "with or without modification,\nare permitted provided that the following conditions are "
        "met:\n\n" + CLAUSES.format(third="Neither the name"),
        "Redistribution and use in source and binary forms, with or without modification,\n"
        "are permitted provided that the following conditions are met:\n\n"
        + CLAUSES.format(third="Neither the name(s)"),
        # A clause that no licence has between two that one has.
        "Redistribution and use in source and binary forms, with or without modification,\n"
        "are permitted provided that the following conditions are met:\n\n"
        + CLAUSES.format(third="The heron")
        + "\n\n4. Herons are counted at dawn.\n\nIN NO EVENT SHALL THE AUTHORS BE LIABLE.",
    ],
)
def test_a_licence_goes_from_its_first_to_its_last_line(licence: str) -> None:
    text = block_comment("/*", "*/", "Heron Library\n\n" + licence) + "int a;\n"
    assert cleaned(text, "C") == "/*\nHeron Library\n*/\nint a;\n"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        # Each line a comment of its own: all of the disclaimer, and the title stays.
        (
            "C",
            "/*  ---------- */\n/*  HERON Support */\n/*  ---------- */\n"
            '/*  DISCLAIMER: THIS SOFTWARE IS PROVIDED BY HERON "AS IS" AND ANY EXPRESS OR */\n'
            "/*  IMPLIED WARRANTIES ARE */\n/*  DISCLAIMED. */\nint a;\n",
            "/*  ---------- */\n/*  HERON Support */\n/*  ---------- */\nint a;\n",
        ),
        # A description that names its licence in passing loses the clause alone.
        (
            "Python",
            '"""Small INI parser, released under the MIT license. Parses files.\n\nUsage: a\n"""\n',
            '"""Small INI parser. Parses files.\n\nUsage: a\n"""\n',
        ),
        (
            "Go",
            "// Package foo parses INI files, licensed under the MIT license.\npackage foo\n",
            "// Package foo parses INI files.\npackage foo\n",
        ),
        (
            "C",
            "// Provided as is; every handler must call check() first.\nint a;\n",
            "// Provided as is; every handler must call check() first.\nint a;\n",
        ),
        # Below imports, in XML's own elements, behind an assembler's mark.
        (
            "Python",
            "import os\n\n# Copyright 2010 Ada Wren\n# Licensed under the MIT License.\nx = 1\n",
            "import os\n\nx = 1\n",
        ),
        (
            "XML",
            "<a>\n<copyright>\nCopyright 2010 Ada Wren\nLicensed under the MIT License.\n"
            "</copyright>\n<b/></a>\n",
            "<a>\n<b/></a>\n",
        ),
        ("C", "; /*\n; * Copyright 2010 Ada Wren\n; */\nint a;\n", "int a;\n"),
        # A description between the copyright and the licence.
        (
            "C",
            block_comment("/*", "*/", "Copyright 2010 Ada Wren\n\nheron.c counts birds.\n\n" + MIT)
            + "int a;\n",
            "/*\nheron.c counts birds.\n*/\nint a;\n",
        ),
    ],
)
def test_descriptions_stay_and_licences_go_whole(language: str, text: str, expected: str) -> None:
    assert cleaned(text, language) == expected


def test_a_licence_below_code_goes_if_it_is_known() -> None:
    text = f"int a;\n\n{block_comment('/*', '*/', APACHE)}int b;\n"
    result = run(text)
    assert isinstance(result, Document)
    assert result.text == "int a;\n\nint b;\n"
