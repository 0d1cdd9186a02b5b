"""Public IP addresses. What is private, reserved or looks like a version number stays."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from filters.pii.spans import Span, is_digit, is_word

_V4 = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
# Global unicast is 2000::/3 (RFC 4291): the first group has four digits and starts with 2 or 3.
_V6_SIGN = re.compile(r":[0-9A-Fa-f]{0,4}:")
_V6 = re.compile(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:.]{1,41}")
_VERSION = re.compile(
    r"(?<![^\W_])(?:v|ver|vers|version|versione|versión|versão|versie|release|rel|build|firmware|driver|patch"
    r"|section|chapter|clause|figure|table|abschnitt|kapitel|§|oid)s?[ .:#=v]{0,3}$",
    re.IGNORECASE,
)
_IP_WORD = re.compile(
    r"(?:(?<![^\W_])(?:ip|ips|ipv4|ip4|dns|nameservers?|ping|ssh|hosts?|servers?|prox(?:y|ies)"
    r"|gateways?|logged|clients?|traceroute)(?![^\W_])|addr|adress|indirizz|direcci|адрес)",
    re.IGNORECASE,
)


def find_ips(text: str, runs: Sequence[Span], context_characters: int) -> list[Span]:
    """Spans of IPv4 and IPv6 addresses that are globally reachable."""
    spans = [
        match.span()
        for start, end in runs
        if text.count(".", start, end) >= 3
        for match in _V4.finditer(text, start, end)
        if _is_public(match.group()) and _is_v4(text, match, context_characters)
    ]
    if _V6_SIGN.search(text):
        spans += [span for span in map(_v6_span, _V6.finditer(text)) if span is not None]
    return sorted(spans)


def _is_public(address: str) -> bool:
    """Globally reachable and no multicast: not private, loopback, documentation, broadcast..."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _is_v4(text: str, match: re.Match[str], context_characters: int) -> bool:
    """Whether four numbers with dots are an address rather than a version or a heading."""
    start, end = match.span()
    before = text[max(0, start - context_characters) : start]
    if is_word(text, start - 1) or is_word(text, end) or before[-1:] in (".", "-", "+", ","):
        return False
    if text[end : end + 1] in (".", "-", "+", ",") and is_word(text, end + 1):
        return False
    # "Chrome/80.0.1.2" is a version; "http://80.0.1.2" and "80.0.1.1/80.0.1.2" are not.
    if before[-1:] == "/" and is_word(before, len(before) - 2) and not is_digit(text, start - 2):
        return False
    if _VERSION.search(before):
        return False
    small = sum(len(octet) == 1 for octet in match.group().split("."))
    return small < 2 or "://" in before[-8:] or _IP_WORD.search(before) is not None


def _v6_span(match: re.Match[str]) -> Span | None:
    text, start, end = match.string, match.start(), match.end()
    if is_word(text, start - 1) or text[max(0, start - 1) : start] in (":", ".", "-"):
        return None
    if is_word(text, end):
        return None
    end = start + len(match.group().rstrip(".:")) if match.group()[-2:] != "::" else end
    return (start, end) if _is_public(text[start:end]) else None
