"""GET /: the live page, files that are served as they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent.parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = (
    # Even a text that slipped into the page as markup could load, run and send nothing.
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    # A runbook's server need not learn where we live.
    "Referrer-Policy": "no-referrer",
    # Asked again each time, by ETag: after an upgrade nobody runs old scripts against a new server.
    "Cache-Control": "no-cache",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def handlers() -> Iterator[tuple[str, Handler]]:
    """Yield the path and the handler of each file, the page itself first."""
    yield "/", _file(FOLDER / "index.html")
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in _TYPES:
            yield f"/{path.name}", _file(path)


def _file(path: Path) -> Handler:
    headers = {**_HEADERS, "Content-Type": _TYPES[path.suffix]}

    async def serve(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=headers)

    return serve


def redirect(place: str) -> Handler:
    """Return a handler that leads browsers to *place*."""

    async def lead(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(place)

    return lead
