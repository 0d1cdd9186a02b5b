"""What the user can mend: said in one sentence, without a traceback."""


class TrainerError(Exception):
    """A configuration, a checkpoint or a dataset is missing, wrong, or does not fit another."""
