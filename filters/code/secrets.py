"""Keys and tokens of fixed forms, masked; the document stays.

The forms are those that issuers publish and that secret scanners share (GitHub's, gitleaks,
detect-secrets): a prefix that nothing else has, an alphabet and a length. What looks like a secret
by entropy alone is counted as a signal, never masked: hashes and fixtures look the same.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from filters.document import Document, Rejected, StageSettings, setting

_END = r"(?![\w-])"
# Each form with its kind and what a text with one has; the group is what is masked.
_FORMS: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = tuple(
    (kind, tuple(marks.split()), re.compile(pattern))
    for kind, marks, pattern in (
        (
            "private_key",
            "-----BEGIN",
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----([^-]{40,20000}?)"
            r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
        ),
        (
            "cloud_key",
            "AKIA ASIA ABIA ACCA",
            r"(?<![A-Za-z0-9])((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})" + _END,
        ),
        (
            "cloud_key",
            "ecret_ ecretAccess ECRET_ ECRETACCESS ecret-",
            r"(?i:aws_?secret_?(?:access_?)?key)[\"']?\s*[:=]+>?\s*[\"']?([A-Za-z0-9/+]{40})(?![\w/+=])",
        ),
        ("cloud_key", "AIza", r"(?<![\w-])(AIza[\w-]{35})" + _END),
        ("cloud_key", "AccountKey=", r"AccountKey=([A-Za-z0-9+/]{86}==)"),
        ("cloud_key", "GOCSPX-", r"\b(GOCSPX-[\w-]{28})" + _END),
        ("cloud_key", "dop_v1_", r"\b(dop_v1_[a-f0-9]{64})" + _END),
        ("cloud_key", "ya29.", r"\b(ya29\.[\w-]{30,400})"),
        ("token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\b(gh[pousr]_[A-Za-z0-9]{36,255})" + _END),
        ("token", "github_pat_", r"\b(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})" + _END),
        ("token", "glpat-", r"\b(glpat-[\w-]{20,64})" + _END),
        (
            "token",
            "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-",
            r"\b(xox[abeoprs]-[A-Za-z0-9-]{20,250})",
        ),
        (
            "token",
            "hooks.slack.com",
            r"hooks\.slack\.com/services/(T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{24})",
        ),
        ("token", "k_live_", r"\b([sr]k_live_[A-Za-z0-9]{24,99})" + _END),
        ("token", "SG.", r"\b(SG\.[\w-]{22}\.[\w-]{43})" + _END),
        ("token", "npm_", r"\b(npm_[A-Za-z0-9]{36})" + _END),
        ("token", "pypi-", r"\b(pypi-AgE[\w-]{50,1000})"),
        ("token", "T3BlbkFJ", r"\b(sk-[\w-]{20,120}T3BlbkFJ[\w-]{20,120})"),
        ("token", "sk-ant-", r"\b(sk-ant-[\w-]{80,120})"),
        ("token", "hf_", r"\b(hf_[A-Za-z]{34})" + _END),
        ("token", "shpat_ shpca_ shppa_ shpss_", r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})" + _END),
        ("token", ":AA", r"(?<![\w:])(\d{8,10}:AA[\w-]{33})" + _END),
        ("token", "eyJ", r"\b(eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,2000})"),
    )
)
_PLACEHOLDERS = {"private_key": "<PRIVATE_KEY>", "cloud_key": "<CLOUD_KEY>", "token": "<TOKEN>"}
# What documentation writes in a secret's place.
_EXAMPLE = re.compile(r"(?i)example|sample|dummy|placeholder|x{6}|0{8}|1234567890|abcdefgh|\.\.\.")
_QUOTED = re.compile(r"[\"']([A-Za-z0-9+/_=-]{20,120})[\"']")
_ONLY_PLACEHOLDERS = re.compile(r"(?:-{5}[A-Z ]+-{5}|<[A-Z_]+>|[\s\"'=:])*")
_MINIMUM_ENTROPY = 3.0


@dataclass(frozen=True, kw_only=True)
class CodeSecretsSettings(StageSettings):
    """[github.secrets].

    Attributes:
        high_entropy: bits a character from which a quoted string counts as one of high entropy.
    """

    high_entropy: float = setting(4.5, "code: detect-secrets' limit for base64")


class CodeSecretsFilter:
    """Mask keys and tokens by `<PRIVATE_KEY>`, `<CLOUD_KEY>`, `<TOKEN>`.

    Adds the signals `secret_private_key`, `secret_cloud_key`, `secret_token` (how many were masked)
    and `high_entropy_strings`. Reason: `secrets_only`, where nothing else is in the file.
    """

    name = "secrets"

    def __init__(self, settings: CodeSecretsSettings | None = None) -> None:
        self.settings = settings or CodeSecretsSettings()

    def open(self) -> None:
        """Nothing to load."""

    def __call__(self, document: Document) -> Document | Rejected:
        text, counts = masked_secrets(document.text)
        for kind in _PLACEHOLDERS:
            document.signals[f"secret_{kind}"] = counts[kind]
        quoted = _QUOTED.findall(text)
        high = self.settings.high_entropy
        document.signals["high_entropy_strings"] = sum(entropy(one) >= high for one in quoted)
        if counts and _ONLY_PLACEHOLDERS.fullmatch(text):
            return Rejected("secrets_only", ", ".join(f"{k} {n}" for k, n in counts.items()))
        document.text = text
        return document


def masked_secrets(text: str) -> tuple[str, Counter[str]]:
    """A text with placeholders for its secrets, and how many of each kind there were."""
    counts: Counter[str] = Counter()
    for kind, marks, pattern in _FORMS:
        if not any(mark in text for mark in marks):
            continue

        def mask(match: re.Match[str], kind: str = kind) -> str:
            secret = match[1]
            if _EXAMPLE.search(secret) or entropy(secret) < _MINIMUM_ENTROPY:
                return match[0]
            counts[kind] += 1
            start, end = match.start(1) - match.start(), match.end(1) - match.start()
            return match[0][:start] + _PLACEHOLDERS[kind] + match[0][end:]

        text = pattern.sub(mask, text)
    return text, counts


def entropy(text: str) -> float:
    """Shannon entropy of the characters of a text, in bits."""
    size = len(text)
    return -sum(n / size * math.log2(n / size) for n in Counter(text).values())
