"""Filters that a recipe can add to any source: a module here, or in a plugin, is all of one.

`SOURCE.filters = ["gopher_quality"]` lets a source's documents go through it, and
`[filters.gopher_quality]` has its settings.
"""
