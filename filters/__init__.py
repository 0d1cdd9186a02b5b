"""Filters: one document in; the document, changed or annotated, or a rejection, out. No Beam."""
