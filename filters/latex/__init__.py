"""arXiv submissions to text: LaTeX with macros expanded, without preamble and bibliography."""

from filters.latex.paper import LatexCleaner, LatexSettings

__all__ = ["LatexCleaner", "LatexSettings"]
