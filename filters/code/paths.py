"""Which files are source code somebody wrote, by their path.

The extension list is RedPajama v1's; vendored folders, lock files and names of generated files
follow GitHub's linguist. The first rule that matches gives the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from filters.code.languages import LANGUAGES, extension_of, is_known
from filters.document import Document, Rejected, StageSettings, setting

# fmt: off
EXTENSIONS: tuple[str, ...] = (
    ".asm", ".bat", ".cmd", ".c", ".h", ".cs", ".cpp", ".hpp", ".c++", ".h++", ".cc", ".hh", ".C",
    ".H", ".cmake", ".css", ".dockerfile", ".f90", ".f", ".f03", ".f08", ".f77", ".f95", ".for",
    ".fpp", ".go", ".hs", ".html", ".java", ".js", ".jl", ".lua", ".md", ".markdown", ".php",
    ".php3", ".php4", ".php5", ".phps", ".phpt", ".pl", ".pm", ".pod", ".perl", ".ps1", ".psd1",
    ".psm1", ".py", ".rb", ".rs", ".sql", ".scala", ".sh", ".bash", ".command", ".zsh", ".ts",
    ".tsx", ".tex", ".vb", ".xml", ".rst", ".m", ".smali",
)
VENDORED_FOLDERS: tuple[str, ...] = (
    "node_modules", "bower_components", "jspm_packages", "vendor", "vendors", "third_party",
    "third-party", "thirdparty", "3rdparty", "3rd-party", "external", "externals", "extern",
    "godeps", "pods", "carthage", "site-packages", "dist-packages", "venv", ".venv", "virtualenv",
    "_vendor", "vendored",
)
LOCK_FILES: tuple[str, ...] = (
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock",
    "cargo.lock", "composer.lock", "gemfile.lock", "go.sum", "gopkg.lock", "glide.lock",
    "pipfile.lock", "poetry.lock", "pdm.lock", "uv.lock", "mix.lock", "pubspec.lock",
    "podfile.lock", "packages.lock.json", "flake.lock", "manifest.toml",
)
LICENCE_FILES: tuple[str, ...] = (
    "license", "licence", "copying", "copyright", "unlicense", "notice", "mit-license",
    "license-mit", "license-apache",
)
GENERATED_ENDINGS: tuple[str, ...] = (
    ".pb.go", ".pb.h", ".pb.cc", ".pb2.py", "_pb2.py", "_pb2_grpc.py", ".pb.rb", "_pb.js",
    "_pb.d.ts", ".g.cs", ".designer.cs", ".designer.vb", ".generated.cs", ".generated.go",
    ".generated.ts", ".generated.java", "_generated.go", "_generated.rs", ".g.dart",
)
# fmt: on


@dataclass(frozen=True, kw_only=True)
class CodePathSettings(StageSettings):
    """[github.path]: all names are compared in lower case, except the extensions.

    Attributes:
        languages: names of linguist's; files with their extensions and names are kept, beside those
            of `extensions` and `file_names`. `*` stands for all that are known.
        extensions: those kept, with their dot, as written or in lower case; each of a known
            language, since in others no licence in a comment would be seen.
        file_names: files kept whatever their extension (`Makefile`).
        vendored_folders: what is below a folder of such a name is somebody else's.
        lock_files: names of dependency lists that tools write.
        licence_files: beginnings of names that, alone or before an extension, are licence texts.
        generated_endings: endings of the names of generated files.
        minified_endings: endings of the names of minified files.
    """

    languages: tuple[str, ...] = setting((), "paper: LLaMA names none; RedPajama v1 extensions")
    extensions: tuple[str, ...] = setting(EXTENSIONS, "code: RedPajama v1's")
    file_names: tuple[str, ...] = setting(
        ("CMakeLists.txt", "Dockerfile", "GNUmakefile", "Makefile"),
        "code: RedPajama v1's, and the names of languages whose extensions it has",
    )
    vendored_folders: tuple[str, ...] = setting(VENDORED_FOLDERS, "code: after GitHub's linguist")
    lock_files: tuple[str, ...] = setting(LOCK_FILES, "code: after GitHub's linguist")
    licence_files: tuple[str, ...] = setting(
        LICENCE_FILES, "ours: RedPajama v1 drops `LICENSE` alone"
    )
    generated_endings: tuple[str, ...] = setting(GENERATED_ENDINGS, "code: after GitHub's linguist")
    minified_endings: tuple[str, ...] = setting(
        (".min.js", "-min.js", ".min.css", "-min.css", ".bundle.js"),
        "code: after GitHub's linguist",
    )

    def __post_init__(self) -> None:
        for extension in self.extensions:
            if not is_known(extension):
                raise ValueError(
                    f"extensions: {extension!r} is of no language whose comments are known, so a "
                    "licence in them would pass unseen (filters/code/languages.py has those known)"
                )
        for language in self.languages:
            if language not in LANGUAGES and language != "*":
                near = ", ".join(get_close_matches(language, LANGUAGES, 3)) or "see docs/github.md"
                raise ValueError(f"languages: {language!r} is not known; {near}")


class CodePathFilter:
    """Keep files of wanted kinds."""

    name = "path"

    def __init__(self, settings: CodePathSettings | None = None) -> None:
        self.settings = settings or CodePathSettings()
        wanted = self.settings.languages
        languages = [one for name, one in LANGUAGES.items() if "*" in wanted or name in wanted]
        self._extensions = frozenset(self.settings.extensions).union(
            *(one.extensions for one in languages)
        )
        self._file_names = frozenset(
            name.lower()
            for name in (
                *self.settings.file_names,
                *(n for one in languages for n in one.file_names),
            )
        )
        self._vendored = frozenset(name.lower() for name in self.settings.vendored_folders)
        self._locks = frozenset(name.lower() for name in self.settings.lock_files)
        self._licences = frozenset(name.lower() for name in self.settings.licence_files)

    def open(self) -> None:
        """Nothing to load."""

    def reason(self, path: str) -> str:
        """Why a path is not wanted; empty for a wanted one."""
        *folders, name = path.lower().split("/")
        if not self._vendored.isdisjoint(folders):
            return "vendored"
        if name in self._locks:
            return "lock_file"
        if name.split(".", 1)[0] in self._licences and extension_of(name) in _TEXT_EXTENSIONS:
            return "licence_file"
        if name.endswith(self.settings.generated_endings):
            return "generated_name"
        if name.endswith(self.settings.minified_endings):
            return "minified_name"
        extension = extension_of(path)
        known = extension in self._extensions or extension.lower() in self._extensions
        return "" if known or name in self._file_names else "extension_not_listed"

    def __call__(self, document: Document) -> Document | Rejected:
        path = document.metadata["path"]
        reason = self.reason(path)
        if reason:
            return Rejected(reason, path)
        return document


_TEXT_EXTENSIONS = frozenset({"", ".md", ".txt", ".rst", ".html", ".markdown", ".tex"})
