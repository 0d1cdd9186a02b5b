"""the published C4 (JSONL), or WET or WARC files that it is made of"""
