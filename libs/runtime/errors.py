"""Errors that a person can act on: one sentence each, never a traceback."""

from collections.abc import Iterator


class OperatorError(Exception):
    """Something outside the code is wrong and a person can put it right.

    The message is one complete sentence or two, and says what to do. The command line prints it and exits with 2; a
    supervisor that meets exit code 2 does not start the process again, because the same thing would happen.
    """

    exit_code = 2


class PassingTrouble(OperatorError):
    """What a process needs is away. Its supervisor starts it again, because it may be back by then."""

    exit_code = 1


def the_one_to_tell(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of all that went wrong together: an operator's sentence if there is one, else the first."""
    leaves = list(_leaves(errors))
    return next((error for error in leaves if isinstance(error, OperatorError)), leaves[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
