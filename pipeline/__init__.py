"""Where Beam lives: units, shards, stages, sources, the runner and the command line."""
