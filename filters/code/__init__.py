"""Source code: which files are code, without licence headers, and of what quality."""

from filters.code.decoding import CodeDecoder, CodeDecoderSettings
from filters.code.generated import GeneratedCodeFilter, GeneratedCodeSettings
from filters.code.headers import LicenceHeaderFilter, LicenceHeaderSettings
from filters.code.paths import CodePathFilter, CodePathSettings
from filters.code.quality import CodeQualityFilter, CodeQualitySettings

__all__ = [
    "CodeDecoder",
    "CodeDecoderSettings",
    "CodePathFilter",
    "CodePathSettings",
    "CodeQualityFilter",
    "CodeQualitySettings",
    "GeneratedCodeFilter",
    "GeneratedCodeSettings",
    "LicenceHeaderFilter",
    "LicenceHeaderSettings",
]
