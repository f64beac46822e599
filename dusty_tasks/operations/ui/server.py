"""The server of `dusty ui`: pages, a stream of what happens, and buttons. It listens on loopback alone; who may ask: core/of_verbs/ui_requests.

starlette and uvicorn are imported here alone.
"""

from __future__ import annotations

import asyncio
import json
import mimetypes
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.of_verbs.ui_requests import HEADERS, command_of, refusal_of
from dusty_tasks.operations.ui.feed import Feed
from dusty_tasks.operations.ui.watching import Busy, Watching
from dusty_tasks.resources import folder

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

BATCH, HEARTBEAT = 0.2, 15.0
"""Seconds that what comes is gathered before it is sent, and after which a silent stream says that it is alive."""
LARGEST = 10_000
"""Bytes of a request's body."""


class Guarded:
    """Answers what may be asked, and puts the page's headers on every response."""

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self.app, self.port, self.token = app, port, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = refusal_of(scope["method"], scope["path"], headers, self.port, self.token)
        app = PlainTextResponse(f"{refusal.what}\n", refusal.status) if refusal else self.app
        await app(scope, receive, send_with_headers)


def page_files() -> dict[str, bytes]:
    """The page's files by path."""
    return {
        f"/{path.name}": path.read_bytes() for path in sorted((folder("templates") / "ui").iterdir()) if path.is_file()
    }


def application(watching: Watching, feed: Feed, port: int, token: str) -> ASGIApp:
    """All that is answered."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route

    files = page_files()

    async def page(request: Request) -> Response:
        path = "/index.html" if request.url.path == "/" else request.url.path
        if path not in files:
            return PlainTextResponse("there is no such page\n", 404)
        return Response(files[path], media_type=mimetypes.guess_type(path)[0] or "application/octet-stream")

    async def events(_request: Request) -> Response:
        return StreamingResponse(stream(feed), media_type="text/event-stream")

    async def plan(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(watching.ask, ["plan", "--json"]))

    async def why(request: Request) -> Response:
        name = request.query_params.get("name", "")
        if not name or name.startswith("-"):
            return PlainTextResponse("why needs the name of an app or service\n", 400)
        return JSONResponse(await run_in_threadpool(watching.ask, ["why", "--json", "-n", "10", name]))

    async def run(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                return PlainTextResponse("the request is too long\n", 413)
        try:
            return JSONResponse(watching.run(command_of(json.loads(body))), 202)
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except Busy as busy:
            return PlainTextResponse(f"{busy}\n", 409)

    routes = [
        Route("/api/events", events, methods=["GET"]),
        Route("/api/plan", plan, methods=["GET"]),
        Route("/api/why", why, methods=["GET"]),
        Route("/api/run", run, methods=["POST"]),
        Route("/{path:path}", page, methods=["GET"]),
    ]
    return Guarded(Starlette(routes=routes), port, token)


async def stream(feed: Feed) -> AsyncIterator[bytes]:
    """Server-sent events: each a batch of what came, by kind. It is cancelled when the page goes away."""
    listener, silent = feed.listen(), 0.0
    try:
        while True:
            batch = listener.take()
            if batch:
                silent = 0.0
                yield b"data: " + json.dumps(batch).encode() + b"\n\n"
            elif silent >= HEARTBEAT:
                silent = 0.0
                yield b": alive\n\n"
            await asyncio.sleep(BATCH)
            silent += BATCH
    finally:
        feed.leave(listener)


def listening(port: int) -> socket.socket:
    """A socket on loopback; `port` 0 is a free one. Raises OSError if it is taken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    found.listen(64)
    return found


def config(app: ASGIApp) -> uvicorn.Config:
    """No word of each request, and no long goodbye to streams."""
    import uvicorn

    return uvicorn.Config(
        app, log_level="critical", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1
    )


def serve(app: ASGIApp, on: socket.socket) -> None:
    """Until interrupted."""
    import uvicorn

    uvicorn.Server(config(app)).run(sockets=[on])
