"""Languages by content, encoded data, secrets, personal data, and the limits of prose."""

from __future__ import annotations

import ast
import base64
import random

import pytest

from filters.code import (
    CodePathFilter,
    CodePathSettings,
    CodePiiFilter,
    CodeQualityFilter,
    CodeQualitySettings,
    CodeSecretsFilter,
    EncodedCodeFilter,
    GeneratedCodeFilter,
)
from filters.code.content import language_of
from filters.code.languages import LANGUAGES, comment_syntax
from filters.code.regions import regions
from filters.code.secrets import masked_secrets
from filters.document import Document, Rejected
from filters.pii import PiiSettings


def document(text: str, language: str = "Python") -> Document:
    return Document("a", "github", text, {"programming_language": language, "path": "a"})


def reason_of(result: Document | Rejected) -> str:
    return result.reason if isinstance(result, Rejected) else ""


def test_there_are_ninety_languages_and_no_extension_twice() -> None:
    assert len(LANGUAGES) >= 90
    every = [extension for one in LANGUAGES.values() for extension in one.extensions]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("path", "text", "language"),
    [
        ("a.h", "#ifndef A\nint a(void);\n", "C"),
        ("a.h", "namespace a {\nclass B {\npublic:\n};\n}\n", "C++"),
        ("a.h", "@interface A : NSObject\n@end\n", "Objective-C"),
        ("a.h", "; a macro\n", "Assembly"),
        ("a.m", "@implementation A\n- (void)b {}\n@end\n", "Objective-C"),
        ("a.m", "function y = a(x)\n% doubles\ny = [x x];\nend\n", "MATLAB"),
        ("a.m", "## Copyright\nfunction y = a (x)\nendfunction\n", "Octave"),
        ("a.m", ":- module a.\n:- interface.\n", "Mercury"),
        ("a.pl", "#!/usr/bin/perl\nuse strict;\nmy $a = 1;\n", "Perl"),
        ("a.pl", ":- use_module(library(lists)).\na(X) :- b(X).\n", "Prolog"),
        ("a.ts", "export const a: number = 1;\n", "TypeScript"),
        ("a.ts", "function a<T >(b: Array<T>) { return <T>b; }\n", "TypeScript"),
        ("a.ts", '<?xml version="1.0"?>\n<TS version="2.0">\n</TS>\n', "XML"),
        ("a.v", "module a(input b);\nendmodule\n", "Verilog"),
        ("a.v", "Theorem a : True.\nProof. exact I. Qed.\n", "Coq"),
        ("a.v", "fn main() {\n}\n", "V"),
        ("a.fs", "#version 330\nvoid main() { gl_Position = vec4(0); }\n", "GLSL"),
        ("a.fs", "module A\nlet b = 1\n", "F#"),
        ("CMakeLists.txt", "project(a)\n", "CMake"),
        ("a.unknown", "x", ""),
    ],
)
def test_languages_by_content(path: str, text: str, language: str) -> None:
    assert language_of(path, text) == language


def test_every_language_of_a_name_has_a_syntax() -> None:
    for path, text in (("a.v", "Lemma a : b.\n"), ("a.v", "fn main() {\n"), ("a.m", "x = 1\n")):
        assert language_of(path, text) in LANGUAGES


def test_an_extension_of_no_known_language_is_refused_when_asked_for() -> None:
    with pytest.raises(ValueError, match=r"'\.heron' is of no language whose comments are known"):
        CodePathSettings(extensions=(".py", ".heron"))
    with pytest.raises(ValueError, match="'Pyton' is not known; Python"):
        CodePathSettings(languages=("Pyton",))


def test_languages_bring_their_extensions_and_names() -> None:
    paths = CodePathFilter(CodePathSettings(extensions=(), file_names=(), languages=("Ruby",)))
    assert paths.reason("a.rake") == paths.reason("Gemfile") == ""
    assert paths.reason("a.py") == "extension_not_listed"
    every = CodePathFilter(CodePathSettings(languages=("*",)))
    assert every.reason("a.sol") == every.reason("meson.build") == ""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("C", 'int a; // b\nchar *c = "// no"; /* d */', ["// b", "/* d */"]),
        ("Python", 's = """no"""\n# b\n\n"""doc"""\n', ["# b", '"""doc"""']),
        ("Shell", 'echo $# "# no" # b', ["# b"]),
        ("Rust", "fn a<'b>(c: char) { '\"'; } // d", ["// d"]),
        ("Lua", "--[[ a\nb ]] x = 1 -- c", ["--[[ a\nb ]]", "-- c"]),
        ("JavaScript", "let a = `// no`; // b", ["// b"]),
        ("C", "/* never closed", []),
    ],
)
def test_comments(language: str, text: str, expected: list[str]) -> None:
    found = regions(text, comment_syntax(language))
    assert [text[one.start : one.end] for one in found if one.what == "comment"] == expected


def base64_lines(size: int) -> str:
    return base64.encodebytes(random.Random(1).randbytes(size)).decode()


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n",
            "JavaScript",
            "lfs_pointer",
        ),
        ("../shared/a.py", "Python", "link_text"),
        ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> d\n", "Python", "merge_conflict"),
        ("<?xml version='1.0'?>\n<a/>\n", "C", "other_format"),
        ("<?xml version='1.0'?>\n<a/>\n", "XML", ""),
        ("import a\nICON = '''\n" + base64_lines(3000) + "'''\n", "Python", "encoded_data"),
        ("int a[] = {\n" + "  0x12, 0xab, 0x00, 0xff,\n" * 50 + "};\n", "C", "encoded_data"),
        ("function __webpack_require__(a) {}\n", "JavaScript", "bundle"),
        (
            'Object.defineProperty(exports, "__esModule", { value: true });\n',
            "JavaScript",
            "bundle",
        ),
        # A guide that speaks of conflicts, a test with one key, a table among code.
        ("a = 1\n# ======= a rule\n", "Python", ""),
        ("KEY = '" + base64_lines(60).replace("\n", "") + "'\nprint(KEY)\n", "Python", ""),
        ("package org.example.some.very.long.name.of.a.package.that.goes.on;\n", "Java", ""),
    ],
)
def test_what_is_no_program(text: str, language: str, reason: str) -> None:
    assert reason_of(EncodedCodeFilter()(document(text, language))) == reason


@pytest.mark.parametrize(
    ("text", "language", "reason"),
    [
        (
            "/* Registry of lakes. Do not edit this file directly (unless you\n"
            " * add a lake), use the preprocessor flags instead. */\nint a;\n",
            "C",
            "",
        ),
        (
            '"""Random number generator.\n\nDo not modify it: call set_seed().\n"""\nx = 1\n',
            "Python",
            "",
        ),
        ("// Generated by a tool. Do not edit.\nint a;\n", "C", "generated"),
        ("# This file was automatically created. DO NOT EDIT!\nx = 1\n", "Python", "generated"),
    ],
)
def test_written_by_hand_or_not(text: str, language: str, reason: str) -> None:
    assert reason_of(GeneratedCodeFilter()(document(text, language))) == reason


def test_prose_has_prose_s_limits() -> None:
    guide = "# Herons\n\n" + "The heron stands in the reeds and waits for fish. " * 60 + "\n"
    assert reason_of(CodeQualityFilter()(document(guide, "Markdown"))) == ""
    assert reason_of(CodeQualityFilter()(document(guide, "C"))) == "line_too_long"


def test_limits_of_data_and_pages() -> None:
    settings = CodeQualitySettings(
        data_minimum=50, data_maximum=5000, minimum_visible=100, minimum_visible_share=0.2
    )
    quality = CodeQualityFilter(settings)
    assert reason_of(quality(document('{"a": "b"}', "JSON"))) == "too_little_data"
    long = '{\n"name": "heron"\n}\n' * 400
    assert reason_of(quality(document(long, "JSON"))) == "too_much_data"
    page = "<p>\n" + "<b class='heron'></b>\n" * 50 + "short</p>\n"
    assert reason_of(quality(document(page, "HTML"))) == "little_visible_text"
    seen = "<p>\n" + "The heron stands in the reeds.\n" * 20 + "</p>\n"
    assert reason_of(quality(document(seen, "HTML"))) == ""


def made(alphabet: str, size: int) -> str:
    """A made-up key; written in parts, so that no scanner of this file takes it for one."""
    return "".join(random.Random(size).choices(alphabet, k=size))


ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.mark.parametrize(
    ("secret", "kind", "placeholder"),
    [
        ("AKIA" + made("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), "cloud_key", "<CLOUD_KEY>"),
        ("AIza" + made(ALPHANUMERIC, 35), "cloud_key", "<CLOUD_KEY>"),
        ("ghp_" + made(ALPHANUMERIC, 36), "token", "<TOKEN>"),
        ("glpat-" + made(ALPHANUMERIC, 20), "token", "<TOKEN>"),
        ("sk_live_" + made(ALPHANUMERIC, 24), "token", "<TOKEN>"),
        ("npm_" + made(ALPHANUMERIC, 36), "token", "<TOKEN>"),
        ("SG." + made(ALPHANUMERIC, 22) + "." + made(ALPHANUMERIC, 43), "token", "<TOKEN>"),
    ],
)
def test_secrets_are_masked_and_counted(secret: str, kind: str, placeholder: str) -> None:
    result = CodeSecretsFilter()(document(f'key = "{secret}"\nprint(key)\n'))
    assert isinstance(result, Document)
    assert result.text == f'key = "{placeholder}"\nprint(key)\n'
    assert result.signals[f"secret_{kind}"] == 1
    ast.parse(result.text)


@pytest.mark.parametrize(
    "text",
    [
        'key = "AKIAIOSFODNN7EXAMPLE"',
        'key = "ghp_' + "x" * 36 + '"',
        'digest = "d41d8cd98f00b204e9800998ecf8427e"',
        "AKIA is how keys begin",
        "from hf_hub import a",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked_secrets(text) == (text, {})


def test_a_file_that_is_a_private_key_goes() -> None:
    begin, end = (
        "-----BEGIN OPENSSH PRIVATE " + "KEY-----",
        "-----END OPENSSH PRIVATE " + "KEY-----",
    )
    key = f"{begin}\n{base64_lines(200)}{end}\n"
    assert CodeSecretsFilter()(document(key)) == Rejected("secrets_only", "private_key 1")
    result = CodeSecretsFilter()(document(f'KEY = """{key}"""\nprint(KEY)\n'))
    assert isinstance(result, Document)
    assert result.text == f'KEY = """{begin}<PRIVATE_KEY>{end}\n"""\nprint(KEY)\n'


def test_personal_data_goes_from_comments_and_strings_alone() -> None:
    text = (
        "x = 8005551212.0  # call (800) 555-0199 or ada.wren@lakes.org\n"
        'mail = "ada.wren@lakes.org"\n'
        "y = a@b.c @ d\n"
    )
    result = CodePiiFilter(PiiSettings(enabled=True))(document(text))
    assert isinstance(result, Document)
    assert result.text == (
        'x = 8005551212.0  # call <PHONE> or <EMAIL>\nmail = "<EMAIL>"\ny = a@b.c @ d\n'
    )
    assert result.signals["pii_email"] == 2
    assert result.signals["pii_phone"] == 1


def test_personal_data_in_a_page_of_prose() -> None:
    result = CodePiiFilter(PiiSettings(enabled=True))(
        document("Write to ada@lakes.org.", "Markdown")
    )
    assert isinstance(result, Document)
    assert result.text == "Write to <EMAIL>."
