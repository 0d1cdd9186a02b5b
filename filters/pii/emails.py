"""Email addresses, `name@host.tld` or `name [at] host.tld`, under a real top-level domain."""

from __future__ import annotations

import re

from tld import is_tld

from filters.pii.spans import Span, is_word

LATIN = "A-Za-z0-9À-ÖØ-öø-ɏ"
LOCAL_PUNCTUATION = "._%+'-"
# RFC 5321, section 4.5.3.1.1.
MAXIMUM_LOCAL = 64

# Each starts with a literal, which is found at the speed of `str.find`.
_AT = (
    re.compile(r"@[\u00ad\u200b]?"),
    re.compile(r"\[ ?(?:at|AT) ?\] ?"),
    re.compile(r"\( ?(?:at|AT) ?\) ?"),
)
_LOCAL = re.compile(f"[{LATIN}{re.escape(LOCAL_PUNCTUATION)}]")
_DOMAIN = re.compile(
    rf"(?:[{LATIN}](?:[{LATIN}-]{{0,61}}[{LATIN}])?\.){{1,8}}(?:[A-Za-z]{{2,24}}|[а-яё]{{2,24}})"
)
# "name@host.orgSection": the next sentence was glued to the address.
_GLUED = re.compile(r"[a-z]{2,}(?=[A-Z])")


def find_emails(text: str, keep_domains: tuple[str, ...]) -> list[Span]:
    """Spans of email addresses.

    Left alone: `@user@host` (fediverse), `\\macro@name` (LaTeX), `git@host` (a remote), what stands
    before the host of a URL (`https://user:password@host`), a host whose last label is no
    top-level domain (`logo@2x.png`, `package@1.2.0`), and hosts in or under `keep_domains`.
    """
    spans: list[Span] = []
    for match in _signs(text):
        local_end = match.start()
        if match.group()[0] != "@" and text[local_end - 1 : local_end] == " ":
            local_end -= 1
        start = _local_start(text, local_end)
        domain = _DOMAIN.match(text, match.end())
        if start == local_end or domain is None:
            continue
        end = _domain_end(text, domain)
        host = text[match.end() : end].lower()
        if end == 0 or any(f".{host}".endswith(f".{kept}") for kept in keep_domains):
            continue
        if text[start:local_end] in ("git", "hg", "svn") or _is_part(text, start):
            continue
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return spans


def _signs(text: str) -> list[re.Match[str]]:
    """Every `@`, `[at]` and `(at)`, in order."""
    found = [match for pattern in _AT for match in pattern.finditer(text)]
    return sorted(found, key=re.Match.start)


def _local_start(text: str, at: int) -> int:
    """Where the local part that ends at `at` starts; `at` where there is none."""
    lowest = max(0, at - MAXIMUM_LOCAL - 1)
    start = at
    while start > lowest and _LOCAL.match(text, start - 1):
        start -= 1
    if at - start > MAXIMUM_LOCAL or (start < at and text[at - 1] in ".'"):
        return at
    dots = text.rfind("..", start, at)
    start = dots + 2 if dots >= 0 else start
    while start < at and text[start] in LOCAL_PUNCTUATION:
        start += 1
    return start


def _domain_end(text: str, domain: re.Match[str]) -> int:
    """Where the domain ends, its last label being a top-level domain; 0 where it is none."""
    end = domain.end()
    last = text.rfind(".", domain.start(), end) + 1
    if is_word(text, end) or not is_tld(text[last:end].lower()):
        glued = _GLUED.match(text, last)
        if glued is None or not is_tld(glued.group()):
            return 0
        return glued.end()
    return end


def _is_part(text: str, start: int) -> bool:
    before = text[max(0, start - 1) : start]
    if before in ("@", "\\") or is_word(text, start - 1):
        return bool(before)
    token = text[max(0, start - MAXIMUM_LOCAL) : start].rsplit(None, 1)[-1:]
    head, scheme, rest = token[0].rpartition("//") if token else ("", "", "")
    return bool(scheme) and "/" not in rest and "mailto" not in head
