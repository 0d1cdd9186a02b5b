"""How each family of programming languages writes comments and strings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Syntax:
    """How comments and strings are written.

    Attributes:
        line: markers that begin a comment to the end of the line.
        block: pairs of what opens and what closes a comment of several lines.
        strings: delimiters of strings; `char` stands for a character in single quotes, where a
            single quote alone is no string (Rust's lifetimes, Haskell's primes).
    """

    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    strings: tuple[str, ...] = ('"', "'")


_C_BLOCK = (("/*", "*/"),)
_XML_BLOCK = (("<!--", "-->"),)
NO_COMMENTS = Syntax(strings=())
C = Syntax(("//",), _C_BLOCK)
C_CHAR = Syntax(("//",), _C_BLOCK, ('"', "char"))
C_TICK = Syntax(("//",), _C_BLOCK, ('"', "'", "`"))
C_TRIPLE = Syntax(("//",), _C_BLOCK, ('"""', '"', "'"))
DART = Syntax(("//",), _C_BLOCK, ('"""', "'''", '"', "'"))
HASH = Syntax(("#",))
HASH_AND_C = Syntax(("#", "//"), _C_BLOCK)
CMAKE = Syntax(("#",), (("#[[", "]]"), ("#[=[", "]=]")), ('"',))
BLOCK_ONLY = Syntax((), _C_BLOCK)
DASHES = Syntax(("--",))
SQL = Syntax(("--", "#"), _C_BLOCK)
ADA = Syntax(("--",), (), ('"',))
LUA = Syntax(("--",), (("--[[", "]]"), ("--[=[", "]=]")))
HASKELL = Syntax(("--",), (("{-", "-}"),), ('"', "char"))
ELM = Syntax(("--",), (("{-", "-}"),), ('"""', '"', "char"))
# A docstring is where Python's licences stand too.
PYTHON = Syntax(("#",), (('"""', '"""'), ("'''", "'''"), ('r"""', '"""'), ('u"""', '"""')))
PERL = Syntax(("#",), (("=pod", "=cut"), ("=head1", "=cut"), ("=begin", "=cut")))
PROLOG = Syntax(("%",), _C_BLOCK)
RUBY = Syntax(("#",), (("=begin", "=end"),))
JULIA = Syntax(("#",), (("#=", "=#"),), ('"""', '"', "char"))
NIM = Syntax(("#",), (("#[", "]#"),), ('"""', '"', "char"))
ELIXIR = Syntax(("#",), (), ('"""', '"', "'"))
COFFEE = Syntax(("#",), (("###", "###"),), ('"""', "'''", '"', "'"))
POWERSHELL = Syntax(("#",), (("<#", "#>"),))
PHP = Syntax(("//", "#"), (*_C_BLOCK, *_XML_BLOCK))
# GNU and others, by processor.
ASSEMBLY = Syntax((";", "#", "//", "@", "|", "!"), _C_BLOCK, ('"',))
BATCH = Syntax(("REM", "rem", "Rem", "@REM", "@rem", "::"), (), ('"',))
PERCENT = Syntax(("%",), (), ())
POSTSCRIPT = Syntax(("%",), (), ())
TEX = Syntax(("%",), (("\\begin{comment}", "\\end{comment}"),), ())
ERLANG = Syntax(("%",), (), ('"',))
MATLAB = Syntax(("%", "#"), (("%{", "%}"), ("#{", "#}")), ('"',))
MATHEMATICA = Syntax((), (("(*", "*)"),), ('"',))
ML = Syntax((), (("(*", "*)"),), ('"', "char"))
FSHARP = Syntax(("//",), (("(*", "*)"),), ('"""', '"', "char"))
PASCAL = Syntax(("//",), (("{", "}"), ("(*", "*)")), ("'",))
FORTRAN = Syntax(("!",))
# In fixed form a comment has its mark in the first column.
FIXED_FORTRAN = Syntax(("!", "C ", "c ", "*"))
COBOL = Syntax(("*>", "      *", "*"), ())
LISP = Syntax((";",), (("#|", "|#"),), ('"',))
CLOJURE = Syntax((";",), (), ('"',))
INI = Syntax((";", "#"), (), ())
ASM_SEMICOLON = Syntax((";",), (), ('"',))
BASIC = Syntax(("'", "REM", "Rem", "rem"), (), ('"',))
VIM = Syntax(('"',), (), ())
SMALLTALK = Syntax((), (('"', '"'),), ("'",))
FORTH = Syntax(("\\ ",), (("( ", ")"),), ())
M4 = Syntax(("dnl", "#"), (), ())
EIFFEL = Syntax(("--",), (), ('"',))
VHDL = Syntax(("--",), _C_BLOCK, ('"',))
VERILOG = Syntax(("//",), _C_BLOCK, ('"',))
MARKUP = Syntax((), _XML_BLOCK, ())
# Elements in which formats of XML keep their licence.
XML = Syntax((), (*_XML_BLOCK, ("<copyright>", "</copyright>"), ("<license>", "</license>")), ())
TEMPLATE = Syntax(
    (), (*_XML_BLOCK, ("{#", "#}"), ("<%#", "%>"), ("{{--", "--}}"), ("{{!--", "--}}")), ()
)
HAML = Syntax(("-#", "/"), (), ())
WEB_COMPONENT = Syntax(("//",), (*_XML_BLOCK, *_C_BLOCK), ('"', "'", "`"))
REST = Syntax((".. ",), (), ())
JSON = Syntax(("//",), _C_BLOCK, ('"',))
APL = Syntax(("⍝", "#"), (), ("'",))
ROFF = Syntax(('.\\"', "'\\\"", '\\"', ".\\#"), (), ())
ASCIIDOC = Syntax(("//",), (("////", "////"),), ())
ORG = Syntax(("# ",), (("#+BEGIN_COMMENT", "#+END_COMMENT"),), ())
STATA = Syntax(("*", "//"), _C_BLOCK, ('"',))
SAS = Syntax(("*",), _C_BLOCK)
D = Syntax(("//",), (*_C_BLOCK, ("/+", "+/")), ('"', "char", "`"))
NIX = Syntax(("#",), _C_BLOCK, ("''", '"'))
