"""Which files are source code somebody wrote, by their path.

The extension list is RedPajama v1's; vendored folders, lock files and names of generated files
follow GitHub's linguist. The first rule that matches gives the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from filters.code.syntax import extension_of, programming_language
from filters.document import Document, Rejected, StageSettings


@dataclass(frozen=True, kw_only=True)
class CodePathSettings(StageSettings):
    """[github.path]: all names are compared in lower case, except the extensions.

    Attributes:
        extensions: those kept, with their dot, as written or in lower case.
        file_names: files kept whatever their extension (`Makefile`).
        vendored_folders: what is below a folder of such a name is somebody else's.
        lock_files: names of dependency lists that tools write.
        licence_files: beginnings of names that, alone or before an extension, are licence texts.
        generated_endings: endings of the names of generated files.
        minified_endings: endings of the names of minified files.
    """

    extensions: tuple[str, ...]
    file_names: tuple[str, ...]
    vendored_folders: tuple[str, ...]
    lock_files: tuple[str, ...]
    licence_files: tuple[str, ...]
    generated_endings: tuple[str, ...]
    minified_endings: tuple[str, ...]


class CodePathFilter:
    """Keep files of wanted kinds and say their programming language."""

    name = "path"

    def __init__(self, settings: CodePathSettings) -> None:
        self.settings = settings
        self._extensions = frozenset(settings.extensions)
        self._file_names = frozenset(name.lower() for name in settings.file_names)
        self._vendored = frozenset(name.lower() for name in settings.vendored_folders)
        self._locks = frozenset(name.lower() for name in settings.lock_files)
        self._licences = frozenset(name.lower() for name in settings.licence_files)

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
        document.metadata["programming_language"] = programming_language(path)
        return document


_TEXT_EXTENSIONS = frozenset({"", ".md", ".txt", ".rst", ".html", ".markdown", ".tex"})
