"""Source code: which files are code, without licence headers, and of what quality."""

from filters.code.decoding import CodeDecoder, CodeDecoderSettings
from filters.code.encoded import EncodedCodeFilter, EncodedCodeSettings
from filters.code.generated import GeneratedCodeFilter, GeneratedCodeSettings
from filters.code.headers import LicenceHeaderFilter, LicenceHeaderSettings
from filters.code.notebooks import NotebookFilter
from filters.code.opt_out import CodeOptOutFilter, CodeOptOutSettings
from filters.code.paths import CodePathFilter, CodePathSettings
from filters.code.personal_data import CodePiiFilter
from filters.code.quality import CodeQualityFilter, CodeQualitySettings
from filters.code.secrets import CodeSecretsFilter, CodeSecretsSettings

__all__ = [
    "CodeDecoder",
    "CodeDecoderSettings",
    "CodeOptOutFilter",
    "CodeOptOutSettings",
    "CodePathFilter",
    "CodePathSettings",
    "CodePiiFilter",
    "CodeQualityFilter",
    "CodeQualitySettings",
    "CodeSecretsFilter",
    "CodeSecretsSettings",
    "EncodedCodeFilter",
    "EncodedCodeSettings",
    "GeneratedCodeFilter",
    "GeneratedCodeSettings",
    "LicenceHeaderFilter",
    "LicenceHeaderSettings",
    "NotebookFilter",
]
