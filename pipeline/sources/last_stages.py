"""What the documents of every source go through after the source's own stages."""

from __future__ import annotations

from filters.optional.registry import known_filters
from pipeline.decontamination.stage import Decontamination
from pipeline.passes.stages import Stage, enabled
from pipeline.recipe import Recipe
from pipeline.sources.declaration import Section, Source


def last_stages(source: Source[Section], recipe: Recipe) -> tuple[Stage, ...]:
    """The filters that a source's section names, decontamination and personal data."""
    known, settings = known_filters(), source.section(recipe)
    named = [known[name](getattr(recipe.filters, name)) for name in settings.filters]
    decontamination = Decontamination(recipe.decontamination, recipe.models.evaluation_index)
    return (
        *named,
        *enabled((recipe.decontamination, decontamination), (recipe.pii, source.pii(recipe.pii))),
    )
