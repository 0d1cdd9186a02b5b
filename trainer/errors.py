"""What the user can mend: said in one sentence, without a traceback."""


class TrainerError(Exception):
    """A configuration, a checkpoint or a dataset is missing, wrong, or does not fit another."""


class RunStopped(Exception):
    """A signal ended a run early; its newest checkpoint has all steps that were done.

    Args:
        number: of the signal.
        step: steps done.
    """

    def __init__(self, number: int, step: int) -> None:
        super().__init__(f"stopped after step {step:,}, which is saved")
        self.number = number
