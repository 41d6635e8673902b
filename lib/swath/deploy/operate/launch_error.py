"""The engine could not be asked. Nothing is known about the run from that alone."""

from swath.errors import SwathError


class LaunchError(SwathError):
    """An engine did not answer, or not with an answer.

    Args:
        problem: Problem in words.
        remedy: Action to take.
        passing: Asking again later may help (throttling, a server that is away).
    """

    def __init__(self, problem: str, *, remedy: str = "", passing: bool = False) -> None:
        super().__init__(f"{problem}. {remedy}".rstrip(". ") + ".")
        self.problem = problem
        self.remedy = remedy
        self.passing = passing
