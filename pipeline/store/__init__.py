"""Where files are and how they come to be: stores, work units, commits, datasets. No Beam."""
