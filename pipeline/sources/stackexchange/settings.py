"""[stackexchange]."""

from __future__ import annotations

from dataclasses import dataclass, field

from filters.document import Settings, setting
from filters.stackexchange import QuestionSettings, ScoreSettings
from pipeline.setting_types import Positive
from pipeline.sources.base_settings import SourceSettings


@dataclass(frozen=True, kw_only=True)
class PostsInputSettings(Settings):
    """[stackexchange.input]: which sites are read, and how.

    Attributes:
        largest: so many sites are read, those with the most bytes of posts.
        sites: host names; if there are any, these sites are read instead.
        maximum_row_bytes: longer rows are rejected without being held.
        maximum_expansion: an archive that decompresses to more than so many times its size is
            rejected.
        join_bytes: posts held in memory while questions meet their answers; what is more goes to a
            temporary file. A larger thread is rejected.
    """

    largest: Positive = setting(
        28, "paper: LLaMA, the 28 largest; by bytes of posts (docs/stackexchange.md)"
    )
    sites: tuple[str, ...] = ()
    maximum_row_bytes: Positive = setting(4_000_000, "ours: posts have 30,000 characters at most")
    maximum_expansion: Positive = setting(
        200, "ours: posts are packed to a tenth or so; more is a bomb"
    )
    join_bytes: Positive = setting(67_108_864, "ours: bounds memory; what is more goes to a file")


@dataclass(frozen=True, kw_only=True)
class StackExchangeSettings(SourceSettings):
    """[stackexchange]: threads of the largest sites, answers by score."""

    input: PostsInputSettings = field(default_factory=PostsInputSettings)
    scores: ScoreSettings = field(default_factory=ScoreSettings)
    question: QuestionSettings = field(default_factory=QuestionSettings)


SECTION = StackExchangeSettings
