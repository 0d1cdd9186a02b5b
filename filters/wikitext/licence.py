"""Under which licence a page's text stood when it was written.

Wikipedia's text was under the GFDL, from 15 June 2009 under CC BY-SA 3.0 (Wikimedia Foundation,
Resolution:Licensing update approval), and is under CC BY-SA 4.0 since 7 June 2023 (Terms of Use).
"""

from __future__ import annotations

# From which day on, the newest first; names as SPDX has them.
_LICENCES = (
    ("2023-06-07", "CC-BY-SA-4.0"),
    ("2009-06-15", "CC-BY-SA-3.0"),
    ("", "GFDL-1.2-or-later"),
)


def wikipedia_licence(timestamp: str | None) -> str | None:
    """The licence of a revision's day (ISO 8601), None where that is not known."""
    if not timestamp:
        return None
    return next(licence for start, licence in _LICENCES if timestamp >= start)
