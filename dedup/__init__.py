"""Deduplication: what compares documents with one another, on keys rather than text."""
