"""Recipes: every threshold of every source. A package only so that they are installed with it."""
