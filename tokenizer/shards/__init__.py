"""Token shards: written by the pipeline, read by trainers."""
