"""Programming languages by file name and extension, and how each of them writes comments.

Names and extensions are those of GitHub's linguist. What an extension cannot tell (`.h`, `.m`) is
told by content (`filters.code.content`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from filters.code import syntax as s
from filters.code.syntax import Syntax

Kind: TypeAlias = Literal["code", "markup", "data", "prose"]


@dataclass(frozen=True, slots=True)
class Language:
    """A language.

    Attributes:
        name: linguist's.
        syntax: how it writes comments and strings.
        extensions: with their dot; case counts only where another language has the other case.
        file_names: whole names.
        kind: prose and data have other limits than code (`filters.code.quality`).
    """

    name: str
    syntax: Syntax
    extensions: tuple[str, ...]
    file_names: tuple[str, ...] = ()
    kind: Kind = "code"


def _rows(
    kind: Kind, *rows: tuple[str, Syntax, str] | tuple[str, Syntax, str, str]
) -> list[Language]:
    return [
        Language(row[0], row[1], tuple(row[2].split()), tuple("".join(row[3:]).split()), kind)
        for row in rows
    ]


_ALL: tuple[Language, ...] = (
    *_rows(
        "code",
        ("ABAP", s.Syntax(("*", '"'), (), ("'",)), ".abap"),
        ("AGS Script", s.C, ".ash"),
        ("APL", s.APL, ".apl .dyalog"),
        ("ActionScript", s.C, ".as"),
        ("Ada", s.ADA, ".ada .adb .ads"),
        ("Agda", s.HASKELL, ".agda"),
        ("Apex", s.C, ".apex .trigger"),
        ("AppleScript", s.Syntax(("--", "#"), (("(*", "*)"),), ('"',)), ".applescript"),
        ("Arduino", s.C, ".ino"),
        ("Assembly", s.ASSEMBLY, ".asm .s .S .nasm .a51"),
        ("AutoHotkey", s.Syntax((";",), s.C.block, ('"',)), ".ahk"),
        (
            "AutoIt",
            s.Syntax((";",), (("#cs", "#ce"), ("#comments-start", "#comments-end"))),
            ".au3",
        ),
        ("Awk", s.HASH, ".awk .gawk"),
        ("Ballerina", s.C, ".bal"),
        ("Batchfile", s.BATCH, ".bat .cmd"),
        ("Bicep", s.C, ".bicep"),
        ("Bison", s.C, ".y .yy .ypp"),
        ("BlitzBasic", s.ASM_SEMICOLON, ".bb"),
        ("C", s.C, ".c .h"),
        ("C#", s.C, ".cs .csx"),
        ("C++", s.C, ".cpp .hpp .c++ .h++ .cc .hh .cxx .hxx .C .H .ipp .tpp .inl .tcc"),
        ("CMake", s.CMAKE, ".cmake", "CMakeLists.txt"),
        ("COBOL", s.COBOL, ".cob .cbl .cobol .cpy"),
        ("Ceylon", s.C, ".ceylon"),
        ("Chapel", s.C, ".chpl"),
        ("Clojure", s.CLOJURE, ".clj .cljs .cljc .edn"),
        ("CoffeeScript", s.COFFEE, ".coffee .cson"),
        ("ColdFusion", s.Syntax(("//",), (("<!---", "--->"), ("/*", "*/"))), ".cfm .cfc"),
        ("Common Lisp", s.LISP, ".lisp .lsp .cl .asd"),
        ("Coq", s.ML, ".coq"),
        ("Crystal", s.HASH, ".cr"),
        ("Cuda", s.C, ".cu .cuh"),
        ("Cython", s.PYTHON, ".pyx .pxd .pxi"),
        ("D", s.D, ".d .di"),
        ("Dart", s.DART, ".dart"),
        ("Dhall", s.HASKELL, ".dhall"),
        ("Dockerfile", s.HASH, ".dockerfile", "Dockerfile Containerfile"),
        ("Eiffel", s.EIFFEL, ".e"),
        ("Elixir", s.ELIXIR, ".ex .exs"),
        ("Elm", s.ELM, ".elm"),
        ("Emacs Lisp", s.Syntax((";",), (), ('"',)), ".el .emacs"),
        ("Erlang", s.ERLANG, ".erl .hrl .escript"),
        ("F#", s.FSHARP, ".fs .fsi .fsx"),
        ("Factor", s.Syntax(("! ",), (), ('"',)), ".factor"),
        ("Forth", s.FORTH, ".4th .forth .fth"),
        ("Fortran", s.FIXED_FORTRAN, ".f .f77 .for .fpp .F"),
        ("Fortran Free Form", s.FORTRAN, ".f90 .f03 .f08 .f95 .F90"),
        ("GAP", s.HASH, ".g .gap .gd .gi"),
        ("GDScript", s.HASH, ".gd3 .gdscript"),
        ("GLSL", s.C, ".glsl .vert .frag .geom .comp .fshader .vshader"),
        ("Gherkin", s.HASH, ".feature"),
        ("Gleam", s.Syntax(("//",), (), ('"',)), ".gleam"),
        ("Gnuplot", s.HASH, ".gp .gnu .gnuplot .plt"),
        ("Go", s.C_TICK, ".go"),
        ("Gradle", s.C_TRIPLE, ".gradle"),
        ("GraphQL", s.Syntax(("#",), (), ('"""', '"')), ".graphql .gql"),
        ("Groovy", s.C_TRIPLE, ".groovy .gvy", "Jenkinsfile"),
        ("HCL", s.HASH_AND_C, ".hcl .tf .tfvars"),
        ("HLSL", s.C, ".hlsl .fx .fxh"),
        ("Hack", s.PHP, ".hack .hhi"),
        ("Haskell", s.HASKELL, ".hs .hsc .lhs"),
        ("Haxe", s.C, ".hx"),
        ("IDL", s.ASM_SEMICOLON, ".dlm"),
        ("Idris", s.HASKELL, ".idr"),
        ("Inno Setup", s.Syntax((";", "//"), (), ()), ".iss"),
        ("Isabelle", s.ML, ".thy"),
        ("J", s.Syntax(("NB.",), (), ("'",)), ".ijs"),
        ("Java", s.C, ".java"),
        ("JavaScript", s.C_TICK, ".js .mjs .cjs .jsx .es6"),
        ("Jsonnet", s.HASH_AND_C, ".jsonnet .libsonnet"),
        ("Julia", s.JULIA, ".jl"),
        ("Kotlin", s.C_TRIPLE, ".kt .kts .ktm"),
        ("LLVM", s.ASM_SEMICOLON, ".ll"),
        ("Lean", s.Syntax(("--",), (("/-", "-/"),), ('"',)), ".lean"),
        ("Lex", s.C, ".l .lex"),
        ("Linker Script", s.C, ".ld .lds"),
        ("Lua", s.LUA, ".lua"),
        ("M4", s.M4, ".m4 .ac", "configure.ac configure.in"),
        ("MATLAB", s.MATLAB, ".matlab"),
        ("Makefile", s.HASH, ".mk .mak .am", "Makefile makefile GNUmakefile Makefile.am"),
        ("Mathematica", s.MATHEMATICA, ".mathematica .wl .wls .nb"),
        ("Mercury", s.PROLOG, ".mercury"),
        ("Meson", s.Syntax(("#",), (), ("'''", "'")), "", "meson.build meson_options.txt"),
        ("Metal", s.C, ".metal"),
        ("Modula-2", s.ML, ".mod"),
        ("NSIS", s.Syntax((";", "#"), s.C.block), ".nsi .nsh"),
        ("Nim", s.NIM, ".nim .nims"),
        ("Nix", s.NIX, ".nix"),
        ("OCaml", s.ML, ".ml .mli .mll .mly"),
        ("Objective-C", s.C, ".m"),
        ("Objective-C++", s.C, ".mm"),
        ("Octave", s.MATLAB, ".octave"),
        ("OpenCL", s.C, ".opencl"),
        ("OpenSCAD", s.C, ".scad"),
        ("PHP", s.PHP, ".php .php3 .php4 .php5 .phps .phpt .phtml"),
        ("PLSQL", s.SQL, ".pls .plsql .pkb .pks"),
        ("Pascal", s.PASCAL, ".pas .dpr .lpr .pp"),
        ("Perl", s.PERL, ".pl .pm .perl .t"),
        ("Pike", s.C, ".pike .pmod"),
        ("Pony", s.Syntax(("//",), s.C.block, ('"""', '"')), ".pony"),
        ("PostScript", s.POSTSCRIPT, ".ps .eps"),
        ("PowerShell", s.POWERSHELL, ".ps1 .psd1 .psm1"),
        ("Prolog", s.PROLOG, ".pro .prolog"),
        ("Protocol Buffer", s.C, ".proto"),
        ("Puppet", s.HASH, ".puppet"),
        ("PureScript", s.HASKELL, ".purs"),
        ("Python", s.PYTHON, ".py .pyi .pyw .py3", "SConstruct SConscript"),
        ("QML", s.C_TICK, ".qml"),
        ("QMake", s.HASH, ".pri .qmake"),
        ("R", s.HASH, ".r .R .rsx"),
        ("Racket", s.LISP, ".rkt .rktl"),
        ("Raku", s.HASH, ".raku .rakumod .p6 .pm6"),
        ("ReScript", s.C_TICK, ".res .resi"),
        ("Reason", s.C_CHAR, ".re .rei"),
        ("Rebol", s.ASM_SEMICOLON, ".reb .r3"),
        ("Red", s.ASM_SEMICOLON, ".red .reds"),
        (
            "Ruby",
            s.RUBY,
            ".rb .rake .gemspec .ru",
            "Rakefile Gemfile Vagrantfile Guardfile Podfile",
        ),
        ("Rust", s.C_CHAR, ".rs"),
        ("SAS", s.SAS, ".sas"),
        ("SQL", s.SQL, ".sql"),
        ("SWIG", s.C, ".swg .i"),
        ("Scala", s.Syntax(("//",), s.C.block, ('"""', '"', "char")), ".scala .sc .sbt"),
        ("Scheme", s.LISP, ".scm .ss .sld .sps"),
        ("Scilab", s.Syntax(("//",), s.C.block), ".sci .sce"),
        ("Shell", s.HASH, ".sh .bash .command .zsh .ksh .bats .fish"),
        ("Smali", s.HASH, ".smali"),
        ("Smalltalk", s.SMALLTALK, ".st"),
        ("Solidity", s.C, ".sol"),
        ("Squirrel", s.HASH_AND_C, ".nut"),
        ("Standard ML", s.ML, ".sml .sig .fun"),
        ("Starlark", s.PYTHON, ".bzl .star", "BUILD BUILD.bazel WORKSPACE WORKSPACE.bazel"),
        ("Stata", s.STATA, ".do .ado"),
        ("SuperCollider", s.C, ".scd"),
        ("Swift", s.Syntax(("//",), s.C.block, ('"""', '"')), ".swift"),
        ("SystemVerilog", s.VERILOG, ".sv .svh .vh"),
        ("TLA", s.Syntax(("\\*",), (("(*", "*)"),), ('"',)), ".tla"),
        ("Tcl", s.Syntax(("#",), (), ('"',)), ".tcl .tm"),
        ("Thrift", s.HASH_AND_C, ".thrift"),
        ("TypeScript", s.C_TICK, ".ts .tsx .mts .cts"),
        ("V", s.C_TICK, ".vsh"),
        ("VBScript", s.BASIC, ".vbs"),
        ("VHDL", s.VHDL, ".vhd .vhdl"),
        ("Vala", s.C_TRIPLE, ".vala .vapi"),
        ("Verilog", s.VERILOG, ".v .veo"),
        ("Vim Script", s.VIM, ".vim", ".vimrc _vimrc"),
        ("Visual Basic", s.BASIC, ".vb .bas .cls .frm .vba"),
        ("WebAssembly", s.Syntax((";;",), (("(;", ";)"),), ('"',)), ".wat .wast"),
        ("WGSL", s.C, ".wgsl"),
        ("XQuery", s.Syntax((), (("(:", ":)"),)), ".xquery .xq .xqm .xqy"),
        ("Zig", s.Syntax(("//",), (), ('"', "char")), ".zig"),
    ),
    *_rows(
        "markup",
        ("Astro", s.WEB_COMPONENT, ".astro"),
        ("Blade", s.TEMPLATE, ".blade"),
        ("CSS", s.BLOCK_ONLY, ".css"),
        ("EJS", s.TEMPLATE, ".ejs"),
        ("HTML", s.TEMPLATE, ".html .htm .xhtml"),
        ("HTML+ERB", s.TEMPLATE, ".erb .rhtml"),
        ("Haml", s.HAML, ".haml"),
        ("Handlebars", s.TEMPLATE, ".handlebars .hbs"),
        ("Jinja", s.TEMPLATE, ".jinja .jinja2 .j2"),
        ("Less", s.C, ".less"),
        ("Liquid", s.TEMPLATE, ".liquid"),
        ("Mako", s.Syntax(("##",), (("<%doc>", "</%doc>"),), ()), ".mako .mao"),
        ("Mustache", s.TEMPLATE, ".mustache"),
        ("Pug", s.Syntax(("//",), (), ()), ".pug .jade"),
        ("Sass", s.C, ".sass"),
        ("SCSS", s.C, ".scss"),
        ("Slim", s.HAML, ".slim"),
        ("Stylus", s.C, ".styl"),
        ("Svelte", s.WEB_COMPONENT, ".svelte"),
        ("SVG", s.XML, ".svg"),
        ("Twig", s.TEMPLATE, ".twig"),
        ("Vue", s.WEB_COMPONENT, ".vue"),
        (
            "XML",
            s.XML,
            ".xml .xsd .wsdl .xaml .plist .resx .csproj .vcxproj .props .targets .ui",
        ),
        ("XSLT", s.MARKUP, ".xsl .xslt"),
    ),
    *_rows(
        "data",
        ("BibTeX", s.PERCENT, ".bib .bibtex"),
        ("CSV", s.NO_COMMENTS, ".csv .tsv"),
        ("DOT", s.HASH_AND_C, ".dot .gv"),
        ("Diff", s.NO_COMMENTS, ".diff .patch"),
        ("Gettext Catalog", s.HASH, ".po .pot"),
        ("INI", s.INI, ".ini .cfg .conf .desktop .properties"),
        ("JSON", s.JSON, ".json .geojson .jsonl .webmanifest"),
        ("JSON5", s.JSON, ".json5 .jsonc"),
        ("TOML", s.Syntax(("#",), (), ('"""', "'''", '"', "'")), ".toml"),
        ("YAML", s.HASH, ".yaml .yml"),
    ),
    *_rows(
        "prose",
        ("AsciiDoc", s.ASCIIDOC, ".adoc .asciidoc .asc"),
        ("Markdown", s.MARKUP, ".md .markdown .mdx .mkd"),
        ("Org", s.ORG, ".org"),
        ("Pod", s.NO_COMMENTS, ".pod"),
        ("RDoc", s.NO_COMMENTS, ".rdoc"),
        ("R Markdown", s.MARKUP, ".rmd .qmd .Rmd"),
        ("Roff", s.ROFF, ".man .1 .2 .3 .4 .5 .6 .7 .8 .9 .mdoc"),
        ("TeX", s.TEX, ".tex .sty .dtx .ltx .bbx .cbx"),
        ("Texinfo", s.Syntax(("@c ", "@comment "), (), ()), ".texi .texinfo"),
        ("Text", s.NO_COMMENTS, ".txt"),
        ("Textile", s.NO_COMMENTS, ".textile"),
        ("reStructuredText", s.REST, ".rst .rest"),
    ),
    *_rows("code", ("Jupyter Notebook", s.NO_COMMENTS, ".ipynb")),
)

LANGUAGES: dict[str, Language] = {language.name: language for language in _ALL}
FILE_NAMES: dict[str, str] = {name: one.name for one in _ALL for name in one.file_names}
_BY_EXTENSION = {extension: one.name for one in _ALL for extension in one.extensions}


def extension_of(path: str) -> str:
    """The extension with its dot, as written; empty for `Makefile` and `.gitignore`."""
    name = path.rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    return dot + extension if stem else ""


def is_known(extension: str) -> bool:
    """Whether a language has an extension, with its dot."""
    return extension in _BY_EXTENSION or extension.lower() in _BY_EXTENSION


def programming_language(path: str) -> str:
    """linguist's name of the language by file name, or else by extension; empty if unknown."""
    name = path.rsplit("/", 1)[-1]
    if name in FILE_NAMES:
        return FILE_NAMES[name]
    extension = extension_of(path)
    return _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower(), "")


def comment_syntax(language: str) -> Syntax:
    """How a language writes comments; none for an unknown one."""
    return LANGUAGES[language].syntax if language in LANGUAGES else s.NO_COMMENTS


def kind_of(language: str) -> Kind:
    """What a language is for; an unknown one is code."""
    return LANGUAGES[language].kind if language in LANGUAGES else "code"
