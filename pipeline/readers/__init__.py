"""Readers: one input format each, from a byte stream to documents and bad records."""
