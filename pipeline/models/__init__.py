"""Models made or fetched on the way: language ID, language models, reference classifier."""
