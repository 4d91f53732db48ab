"""Errors that a person can act on: one sentence each, never a traceback."""


class OperatorError(Exception):
    """Something outside the code is wrong and a person can put it right.

    The message is one complete sentence or two, and says what to do. The command line prints it and exits with 2; a
    supervisor that meets exit code 2 does not start the process again, because the same thing would happen.
    """

    exit_code = 2
