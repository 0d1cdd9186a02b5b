"""Shares of sources in tokens, as whole numbers of windows in a cycle.

LLaMA's Table 1 gives shares of the tokens a model is trained on, not of the tokens there are: small
sources are read more than once. Windows all have the same number of tokens, so shares of windows
are shares of tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction
from math import gcd, lcm

from tokenizer.errors import TokenizerError

# A cycle is worked out at the start; shares of up to four decimals stay below this.
LONGEST_CYCLE = 100_000


def cycle_weights(shares: Mapping[str, float]) -> dict[str, int]:
    """The smallest whole numbers in the proportion of the shares, without sources of share 0.

    Shares need not sum to 1. Their decimals are taken as written, so 0.045 is 9/200 and LLaMA's
    mixture repeats after 200 windows.

    Raises:
        TokenizerError: a share is negative, none is positive, or they have too many decimals.
    """
    exact = {name: Fraction(str(share)) for name, share in shares.items()}
    negative = [name for name, share in exact.items() if share < 0]
    if negative:
        raise TokenizerError(f"the share of {negative[0]} is negative")
    exact = {name: share for name, share in exact.items() if share}
    if not exact:
        raise TokenizerError("no source has a share above 0; see mixture.shares of the recipe")
    common = lcm(*(share.denominator for share in exact.values()))
    weights = {name: int(share * common) for name, share in exact.items()}
    divisor = gcd(*weights.values())
    weights = {name: weight // divisor for name, weight in weights.items()}
    if sum(weights.values()) > LONGEST_CYCLE:
        raise TokenizerError(
            f"shares repeat only after {sum(weights.values()):,} windows, more than "
            f"{LONGEST_CYCLE:,}; give them with fewer decimals"
        )
    return weights


def shares_of(present: Collection[str], shares: Mapping[str, float]) -> dict[str, float]:
    """The shares, checked to name every source that is there, and only such.

    Raises:
        TokenizerError: a source has a share and no tokens, or tokens and no share.
    """
    missing = sorted(name for name, share in shares.items() if share and name not in present)
    unnamed = sorted(set(present) - set(shares))
    if missing:
        raise TokenizerError(
            f"there are no tokens of {', '.join(missing)}, which the mixture gives a share; make "
            f"them, or say that you want none: mixture.shares.{missing[0]} = 0"
        )
    if unnamed:
        raise TokenizerError(
            f"the mixture gives no share to {', '.join(unnamed)}; add mixture.shares.{unnamed[0]} "
            "(0 to leave it out)"
        )
    return {name: share for name, share in shares.items() if share}
