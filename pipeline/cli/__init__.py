"""The `roving` command."""
