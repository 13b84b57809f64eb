"""The one place where an error becomes an answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.typedefs import Middleware

from receiver.core.errors import SenderError, StormcellError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(status: int, code: str, message: str, field: str | None = None) -> web.Response:
    """Return an error as every client gets it; short, as senders copy it into their log."""
    error = {"code": code, "message": message[:500]}
    if field:
        error["field"] = field[:100]
    return web.json_response({"error": error}, status=status)


def unreadable(request: web.Request, error: web.RequestPayloadError) -> SenderError:
    """Return why the body of *request* cannot be read, of which aiohttp says *error*."""
    told = request.headers.get("Content-Encoding")
    if told is None or not isinstance(error.__cause__, ContentEncodingError):
        return SenderError("body cannot be read: its encoding is broken")
    return SenderError(
        f"body cannot be read: its Content-Encoding says {ascii(told)[:50]}, and it is none,"
        " or a broken one"
    )


def middleware(on_fault: Callable[[], None]) -> Middleware:
    """Return what answers errors of any kind as JSON; *on_fault* is called of those that are our own."""

    @web.middleware
    async def answering(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answered(request, handler, on_fault)
        if request.content.exception() is not None:
            # What comes after a body that cannot be read is not read either: the client should know.
            response.force_close()
        return response

    return answering


async def _answered(
    request: web.Request, handler: Handler, on_fault: Callable[[], None]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except StormcellError as error:
        return answer(error.status, error.code, error.message, error.field)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = answer(405, "method_not_allowed", f"{error.method}: expected {allowed}")
        response.headers["Allow"] = allowed
        return response
    except web.RequestPayloadError as error:
        refusal = unreadable(request, error)
        return answer(refusal.status, refusal.code, refusal.message)
    except web.HTTPRequestEntityTooLarge as error:
        return answer(413, "too_large", error.text or "the body is too large")
    except web.HTTPNotFound:
        return answer(404, "not_found", "no such path")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        if error.status == 400:
            return answer(400, "bad_request", error.text or error.reason)
        return answer(error.status, "http", error.reason)
    except Exception as error:
        if isinstance(error, ConnectionError) and _has_left(request):
            log.debug("a client left before it was answered", extra={"path": request.path})
            # Nobody gets it; raised again, aiohttp would log it as a fault.
            return answer(499, "client_left", "the client left")
        on_fault()
        log.exception("a request failed", extra={"path": request.path})
        return answer(500, "internal", "internal error, see the log")


def _has_left(request: web.Request) -> bool:
    """Whether the client of *request* has closed its connection, or its side of it."""
    return request.transport is None or request.transport.is_closing()
