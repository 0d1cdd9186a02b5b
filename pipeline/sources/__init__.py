"""Sources: a folder each, with its declaration in `source.py` and its section in `settings.py`."""
