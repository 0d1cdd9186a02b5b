"""Decontamination: evaluation sets, their index, the stage over documents, the report."""
