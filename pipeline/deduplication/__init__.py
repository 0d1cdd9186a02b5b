"""Deduplication of documents and lines: keys, the shuffle of keys, decisions, removal."""
