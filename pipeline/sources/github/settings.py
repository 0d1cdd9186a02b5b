"""[github]."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from filters.code import (
    CodeDecoderSettings,
    CodeOptOutSettings,
    CodePathSettings,
    CodeQualitySettings,
    CodeSecretsSettings,
    EncodedCodeSettings,
    GeneratedCodeSettings,
    LicenceHeaderSettings,
)
from filters.code.licence_names import PERMISSIVE
from filters.document import Settings, setting
from pipeline.deduplication.sections import MethodName
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class GithubInputSettings(Settings):
    """[github.input].

    Attributes:
        maximum_row_bytes: longest row of a table, uncompressed.
        slice_bytes: a larger Parquet file is cut at row groups into slices of about this size.
        maximum_file_bytes: larger files of a repository are rejected unread.
        maximum_archive_bytes: so much of an archive is read, decompressed.
    """

    maximum_row_bytes: Positive = setting(
        16_777_216, "ours: a file of 1 MiB is at most 6 MiB of JSON"
    )
    slice_bytes: Positive = setting(
        200_000_000, "ours: not tuned; several workers can share one file"
    )
    maximum_file_bytes: Positive = setting(
        1_048_576, "ours: BigQuery has no content of larger files"
    )
    maximum_archive_bytes: Positive = setting(
        10_000_000_000, "ours: bounds an archive that never ends"
    )


@dataclass(frozen=True, kw_only=True)
class LicenceSettings(Settings):
    """[github.licences].

    Attributes:
        allowed: SPDX identifiers; case does not count, so BigQuery's keys are the same.
        minimum_coverage: a licence file is recognised if licence texts make up this share of it,
            in percent.
    """

    allowed: tuple[str, ...] = setting(
        PERMISSIVE, "paper: LLaMA, Apache, BSD and MIT; docs/github.md says why these"
    )
    minimum_coverage: Annotated[float, Field(gt=0, le=100)] = setting(75.0, "code: licensecheck's")


@dataclass(frozen=True, kw_only=True)
class GithubRowsSettings(Settings):
    """[github.rows]: names of columns; of several the first that a table has.

    Attributes:
        content: of the file's text.
        repository: of `owner/name`.
        path: of the file's path in it.
        licences: of one SPDX identifier, or a list of them.
    """

    content: tuple[str, ...] = setting(
        ("content", "text", "code"), "code: The Stack's, StarCoderData's, github-code's"
    )
    repository: tuple[str, ...] = setting(
        ("max_stars_repo_name", "repo_name", "repository", "repository_name"),
        "code: The Stack's, github-code's",
    )
    path: tuple[str, ...] = setting(
        ("max_stars_repo_path", "path", "file_path"), "code: The Stack's, github-code's"
    )
    licences: tuple[str, ...] = setting(
        ("max_stars_repo_licenses", "detected_licenses", "licenses", "license"),
        "code: The Stack's, The Stack v2's, github-code's",
    )


@dataclass(frozen=True, kw_only=True)
class GithubSettings(SourceSettings):
    """[github]: which repositories' files are kept, and how code becomes text."""

    deduplicate: tuple[MethodName, ...] = setting(
        ("digest",), "paper: LLaMA, equal files, before cleaning"
    )
    input: GithubInputSettings = field(default_factory=GithubInputSettings)
    licences: LicenceSettings = field(default_factory=LicenceSettings)
    rows: GithubRowsSettings = field(default_factory=GithubRowsSettings)
    opt_out: CodeOptOutSettings = field(default_factory=CodeOptOutSettings)
    path: CodePathSettings = field(default_factory=CodePathSettings)
    decode: CodeDecoderSettings = field(default_factory=CodeDecoderSettings)
    encoded: EncodedCodeSettings = field(default_factory=EncodedCodeSettings)
    generated: GeneratedCodeSettings = field(default_factory=GeneratedCodeSettings)
    header: LicenceHeaderSettings = field(default_factory=LicenceHeaderSettings)
    quality: CodeQualitySettings = field(default_factory=CodeQualitySettings)
    secrets: CodeSecretsSettings = field(default_factory=CodeSecretsSettings)


SECTION = GithubSettings
