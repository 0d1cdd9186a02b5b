"""TeX's own commands, put into an expander: those that define, decide and program."""

from __future__ import annotations

from filters.latex.branches import Branches
from filters.latex.conditionals import Conditionals
from filters.latex.definers import Definers
from filters.latex.expander import Expander, ExpansionSettings
from filters.latex.programs import Programs


def tex_expander(settings: ExpansionSettings) -> Expander:
    """An expander that carries out definitions, conditionals and programming commands."""
    expander = Expander(settings)
    conditionals = Conditionals(expander)
    for commands in (
        Definers(expander, conditionals),
        Programs(expander, conditionals),
        Branches(expander),
        conditionals,
    ):
        expander.reserve(commands.handlers())
    return expander
