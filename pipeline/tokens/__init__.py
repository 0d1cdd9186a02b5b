"""Beam passes around the tokenizer: its sample, and the encoding of documents."""
