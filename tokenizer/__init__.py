"""From clean text to tokens: SentencePiece training, encoding, token shards, the mixture."""
