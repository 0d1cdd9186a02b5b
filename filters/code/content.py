"""The language of a file whose extension several languages share, by what stands in it.

For each of these extensions the marks of one language are looked for in order of how little they
can be anything else; where none is found the extension's most common language stays. No detector
is used: guesslang is no longer maintained, and Magika needs a runtime for its model and knows
neither Octave nor Mercury nor V, whose comments are others than those of their neighbours.
"""

from __future__ import annotations

import re

from filters.code.languages import extension_of
from filters.code.languages import programming_language as by_path

_LOOKED_AT = 60_000


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


_CPLUSPLUS = _lines(
    r"^[ \t]*(?:template[ \t]*<|namespace\b[\w: \t]*\{?|using[ \t]+(?:namespace\b|\w+[ \t]*=)|"
    r"class[ \t]+\w+(?:[ \t]+final)?[ \t]*[:{;]|class[ \t]+\w+[ \t]+\w+[ \t]*[:{]|"
    r"(?:public|private|protected)[ \t]*:|(?:virtual|explicit|constexpr|friend)\b|"
    r"#[ \t]*include[ \t]*<(?:\w+/)*(?:string|vector|map|memory|iostream|utility|functional|"
    r"algorithm|type_traits|cstd\w+|array|set|list|atomic|mutex|thread)>)|\bstd::|\bstatic_cast<|"
    r"\w::~?\w+\("
)
_OBJECTIVE_C = _lines(
    r"^[ \t]*(?:@(?:interface|implementation|protocol|property|end|class|import|synthesize|"
    r"autoreleasepool|selector)\b|#[ \t]*(?:import|include|define|if|ifdef|ifndef|pragma)\b|"
    r"[-+][ \t]*\([\w *<>]+\)[ \t]*\w)|\[(?:self|super) \w+|\[\w+ \w+:"
)
_ANYTHING = re.compile("")
_OCTAVE = _lines(r"^[ \t]*(?:##|#!|#)|\bend(?:function|if|for|while)\b|\bprintf\(")
_MATHEMATICA = _lines(r"^\(\*|:=|\b(?:Module|Begin|BeginPackage|Needs|Block)\[|->[ \t]*\w+\]")
_MERCURY = _lines(r"^:-[ \t]*(?:module|interface|implementation|import_module|pred|func|mode)\b")
_PROLOG = _lines(
    r"^[ \t]*:-[ \t]*(?:module|use_module|dynamic|initialization|ensure_loaded|set_prolog_flag|"
    r"multifile|discontiguous|table|meta_predicate)\b|^[a-z]\w*(?:\([^\n]*\))?[ \t]*:-|"
    r"^[a-z]\w*\([^\n;{}]*\)\.[ \t]*$"
)
_RAKU = _lines(
    r"^[ \t]*(?:use[ \t]+v6|unit[ \t]+(?:module|class)|(?:my|our)[ \t]+class\b|multi[ \t]+sub\b)"
)
_COQ = _lines(
    r"^[ \t]*(?:Theorem|Lemma|Proof|Qed|Require|Definition|Fixpoint|Inductive|Module|Section|"
    r"Notation|Import|From|Goal|Axiom|Record|Ltac)\b[^\n;]*\.?"
)
_VERILOG = _lines(
    r"^[ \t]*(?:module[ \t]+\w+|endmodule|`(?:timescale|define|include|ifdef|ifndef|"
    r"default_nettype)|"
    r"(?:input|output|inout|wire|reg|assign|always|initial|parameter|localparam|genvar)\b)"
)
_V = _lines(
    r"^[ \t]*(?:fn[ \t]+\w*[ \t]*\(|pub[ \t]+(?:fn|struct|enum)|import[ \t]+\w+[ \t]*$|"
    r"module[ \t]+\w+[ \t]*$)"
)
_XML = re.compile(r"\A\s*(?:<\?xml|<!DOCTYPE|<TS\b|<[a-zA-Z][\w:.-]*[\s>/])")
_REBOL = re.compile(r"\A\s*(?:;[^\n]*\n\s*)*REBOL\b", re.IGNORECASE)
_PASCAL = _lines(r"^[ \t]*(?:unit|program|uses|interface|implementation|procedure|begin)\b")
_PUPPET = _lines(r"^[ \t]*(?:class|define|node)[ \t]+[\w:']+.*\{|=>|^[ \t]*include[ \t]+::?\w")
_FORTH = _lines(r"^:[ \t]+\S+")
_GLSL = _lines(
    r"^[ \t]*#version\b|\bgl_\w+|^[ \t]*(?:uniform|varying|attribute|precision)\b|\bvec[234]\b"
)
_TEX_CLASS = _lines(
    r"^[ \t]*\\(?:NeedsTeXFormat|ProvidesClass|LoadClass|ProvidesPackage|newcommand|def)\b"
)
_APEX = _lines(
    r"^[ \t]*(?:public|private|global|protected|@isTest|@IsTest|with sharing)\b[^\n]*[{(]"
)
_IDL = _lines(r"^[ \t]*(?:pro|function)[ \t]+\w+[ \t]*(?:,|$)|^[ \t]*;")
_QMAKE = _lines(
    r"^[ \t]*(?:QT|TARGET|TEMPLATE|CONFIG|SOURCES|HEADERS|DEFINES|SUBDIRS|"
    r"include)\b[ \t]*(?:[+*-]?=|\()"
)
_ROFF = _lines(r"^[.'](?:TH|SH|SS|Dd|Dt|Os|PP|TP|\\\")")
_SML = _lines(r"^[ \t]*(?:structure|signature|functor|val rec|fun)\b")

# Of each extension: languages with their marks, in order; the first whose mark is there.
_MARKS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    ".h": (
        (re.compile(r"\A\s*;"), "Assembly"),
        (
            re.compile(
                r"^[ \t]*(?:@(?:interface|protocol|class|property|import)\b|#[ \t]*import\b)",
                re.MULTILINE,
            ),
            "Objective-C",
        ),
        (_CPLUSPLUS, "C++"),
    ),
    ".m": (
        (_MERCURY, "Mercury"),
        (_OBJECTIVE_C, "Objective-C"),
        (_MATHEMATICA, "Mathematica"),
        (_OCTAVE, "Octave"),
        (_ANYTHING, "MATLAB"),
    ),
    ".pl": ((_PROLOG, "Prolog"), (_RAKU, "Raku")),
    ".pm": ((_RAKU, "Raku"),),
    ".t": ((_RAKU, "Raku"),),
    ".ts": ((_XML, "XML"),),
    ".tsx": ((re.compile(r"\A\s*<\?xml"), "XML"),),
    ".v": ((_VERILOG, "Verilog"), (_COQ, "Coq"), (_V, "V")),
    ".r": ((_REBOL, "Rebol"),),
    ".rs": ((re.compile(r"\A\s*<\?xml"), "XML"),),
    ".fs": ((_GLSL, "GLSL"), (_FORTH, "Forth")),
    ".pp": ((_PUPPET, "Puppet"), (_PASCAL, "Pascal")),
    ".cls": ((_TEX_CLASS, "TeX"), (_APEX, "Apex")),
    ".pro": ((_QMAKE, "QMake"), (_PROLOG, "Prolog"), (_IDL, "IDL")),
    ".ml": ((_SML, "Standard ML"),),
    ".man": ((_ROFF, "Roff"),),
}


def language_of(path: str, text: str) -> str:
    """linguist's name of a file's language by path and content; empty if the path is unknown."""
    name = by_path(path)
    marks = _MARKS.get(extension_of(path).lower())
    if not marks or not name:
        return name
    head = text[:_LOOKED_AT]
    for pattern, language in marks:
        if pattern.search(head):
            return language
    return name
