"""Types of recipe keys that several sections have."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

Positive: TypeAlias = Annotated[int, Field(gt=0)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
