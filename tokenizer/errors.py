"""What the user can mend: said in one sentence, without a traceback."""


class TokenizerError(Exception):
    """A tokenizer, a token dataset or a mixture is missing, damaged, or does not fit another."""
