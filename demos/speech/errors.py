"""The one exception that the speech demo shows to its user as a single line."""


class UserError(Exception):
    """A mistake of the user: printed as one line without a traceback, exit code 2.

    The message names what was expected and what was found.

    >>> str(UserError("Expected an existing file. Received: path='a.wav'"))
    "Expected an existing file. Received: path='a.wav'"
    """
