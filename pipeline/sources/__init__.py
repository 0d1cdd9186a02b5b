"""One short module per source that reads like its recipe."""
