"""Errors that a person at the command line is told as one sentence, never as a traceback."""


class OperatorError(Exception):
    """Something the operator can mend; the message says what to do. The command line exits with 2."""
