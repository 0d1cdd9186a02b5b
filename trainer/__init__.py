"""LLaMA in plain torch: trained on token datasets, exact, resumable, readable in one sitting."""
