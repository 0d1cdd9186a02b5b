"""Where Beam lives, and the command line. Imports point down (a contract in pyproject.toml):

cli > sources, tokens > deduplication > decontamination > job > recipe > models > passes > readers,
fingerprints > plugins, store.
"""
