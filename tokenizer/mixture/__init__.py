"""The mixture: which tokens of which source a trainer reads, and when."""
