"""Every error of the core, sorted by who erred.

`SenderError` means the request can never succeed as it is; `TryLater` that the same request may
succeed soon; anything else is ours. Each carries the HTTP status that tells the sender so, and is
mapped to an answer in one place, the error middleware.
"""

from __future__ import annotations


class StormcellError(Exception):
    """Base of our errors.

    Attributes:
        status: The HTTP status that says this to a client.
        code: A stable word for programs.
        field: The field of the input that is at fault, if one is.
    """

    status = 500
    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class SenderError(StormcellError):
    """The request is wrong and stays wrong when repeated."""

    status = 400
    code = "bad_request"


class NotFound(StormcellError):
    """What was asked for does not exist."""

    status = 404
    code = "not_found"


class Unauthorized(StormcellError):
    """Whoever asks has not said who he is, or not rightly."""

    status = 401
    code = "unauthorized"


class Forbidden(StormcellError):
    """Whoever asks is known and may not, or asks from a place from which nobody may."""

    status = 403
    code = "forbidden"


class Conflict(StormcellError):
    """What is asked for contradicts how things stand, or what an operator said before."""

    status = 409
    code = "conflict"


class TooLarge(SenderError):
    """The body is larger than the limit."""

    status = 413
    code = "too_large"


class TryLater(StormcellError):
    """We cannot take it now; the sender should repeat the request."""

    status = 503
    code = "try_later"


class EmbeddingError(StormcellError):
    """A text could not be turned into a vector; the model may work again soon."""

    status = 503
    code = "embedding"


class StoreError(StormcellError):
    """The database cannot be used as it is; the text says what to do."""

    code = "store"
