"""A repository's licence files: which of them decides on a file.

Licence files of the top hold for all; below, those of the nearest folder that has some. A link
stands for the licence file that it points to. REUSE's files (https://reuse.software/spec-3.3) say a
licence file by file: `LICENSES/` holds texts that nothing but a tag or an annotation refers to.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from filters.code.licence_expressions import licence_tags
from pipeline.sources.github.licences import (
    LicencePolicy,
    LicenceText,
    Verdict,
    folder_of,
    is_licence_file,
    may_hold_licence,
    nearest,
)
from pipeline.sources.github.reuse import Annotation, all_of, is_annotations_file, read_annotations

_TEXTS = "LICENSES/"
_SIDECAR = ".license"


def wants(path: str) -> bool:
    """Whether a file, or a link, of this path may say a licence of others."""
    named = is_licence_file(path) or may_hold_licence(path)
    return named or path.startswith(_TEXTS) or path.endswith(_SIDECAR) or is_annotations_file(path)


@dataclass
class LicenceFiles:
    """The licence files of one repository, and what follows for each of its files.

    Args:
        policy: which licences are allowed.
    """

    policy: LicencePolicy
    _texts: dict[str, LicenceText] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _annotations: list[Annotation] = field(default_factory=list)
    _tags: dict[str, str] = field(default_factory=dict)
    _has_texts: bool = False
    _verdicts: dict[str, Verdict] = field(default_factory=dict)
    _paths: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, content: str, text: LicenceText) -> None:
        """A file of which `wants` is true.

        Args:
            path: below the repository.
            content: of the file.
            text: the licences in it.
        """
        self._verdicts = {}
        if is_annotations_file(path):
            self._annotations += read_annotations(path, content)
        elif path.endswith(_SIDECAR):
            tags = [tag.expression for tag in licence_tags(content)]
            self._tags[path.removesuffix(_SIDECAR)] = all_of(tags)
        elif path.startswith(_TEXTS):
            self._has_texts = True
        else:
            self._texts[path] = text

    def add_link(self, path: str, target: str) -> None:
        """A link of which `wants` is true, and where it points; empty where that is not known."""
        self._verdicts = {}
        if not path.startswith(_TEXTS):
            self._links[path] = target and posixpath.normpath(
                posixpath.join(folder_of(path), target)
            )

    def verdict(self, path: str) -> Verdict:
        """The repository's, where that is against a file; else REUSE's, or the nearest folder's."""
        verdicts = self._of_folders()
        of_all = verdicts[""]
        if of_all.reason:
            return of_all
        expression, is_final = self._annotated(path)
        if expression:
            if self.policy.allows(expression):
                return Verdict(expression, "")
            # The file's own tag may still say another licence; without one it has none.
            return Verdict(expression, "licence_not_allowed") if is_final else Verdict("", "")
        return nearest(path, verdicts) or of_all

    def above(self, path: str) -> list[str]:
        """Paths of the licence files above a file, from the top down."""
        self._of_folders()
        folders = [""]
        for part in path.split("/")[:-1]:
            folders.append(f"{folders[-1]}{part}/")
        return [found for folder in folders for found in self._paths.get(folder, [])]

    def _annotated(self, path: str) -> tuple[str, bool]:
        """What REUSE says of a file, and whether that holds whatever the file says."""
        if path in self._tags:
            return self._tags[path], True
        for annotation in reversed(self._annotations):
            if annotation.pattern.fullmatch(path):
                return annotation.expression, annotation.is_final
        return "", False

    def _of_folders(self) -> dict[str, Verdict]:
        if self._verdicts:
            return self._verdicts
        folders: dict[str, list[LicenceText]] = {}
        self._paths = {}
        for path, text in [*self._texts.items(), *self._resolved()]:
            if self._counts(path, text):
                folders.setdefault(folder_of(path), []).append(text)
                self._paths.setdefault(folder_of(path), []).append(path)
        self._verdicts = {"": Verdict("", "" if self._has_texts else "no_licence")}
        for folder, texts in folders.items():
            self._verdicts[folder] = self._of(folder, texts)
        return self._verdicts

    def _resolved(self) -> list[tuple[str, LicenceText]]:
        """Links with what they point to; what is no licence file here is not recognised."""
        found = []
        for path, target in self._links.items():
            end = target
            for _ in range(len(self._links)):
                end = self._links.get(end, end)
            found.append((path, self._texts.get(end, LicenceText())))
        return found

    def _counts(self, path: str, text: LicenceText) -> bool:
        """Whether a file speaks for its folder; a page about licences does not."""
        if is_licence_file(path) or text.licences:
            return True
        return text.is_limited or not all(map(self.policy.allows, text.named))

    def _of(self, folder: str, texts: list[LicenceText]) -> Verdict:
        verdict = self.policy.verdict(name for text in texts for name in text.licences)
        unknown = not all(text.licences for text in texts)
        if unknown and (not verdict.reason or verdict.reason == "no_licence"):
            verdict = Verdict(verdict.licence, "licence_not_recognised")
        if folder and verdict.reason:
            return Verdict(verdict.licence, f"folder_{verdict.reason}")
        return verdict
