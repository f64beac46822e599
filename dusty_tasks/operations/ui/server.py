"""The server of `dusty ui`: pages, a stream of what happens, and buttons. It listens on loopback alone; who may ask: core/of_verbs/ui_requests.

starlette and uvicorn are imported here alone.
"""

from __future__ import annotations

import asyncio
import errno
import json
import mimetypes
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.of_verbs.ui_requests import HEADERS, checked_name, command_of, refusal_of, world_of
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
        try:
            name = checked_name(request.query_params.get("name", ""))
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return JSONResponse(await run_in_threadpool(watching.ask, ["why", "--json", "-n", "10", name]))

    async def asked(request: Request, act: Callable[[Any], Response]) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LARGEST:
                return PlainTextResponse("the request is too long\n", 413)
        try:
            return await run_in_threadpool(act, json.loads(body))
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except Busy as busy:
            return PlainTextResponse(f"{busy}\n", 409)

    async def run(request: Request) -> Response:
        return await asked(request, lambda body: JSONResponse(watching.run(command_of(body), world_of(body)), 202))

    def show(body: Any) -> Response:
        watching.switch(world_of(body))
        return Response(status_code=204)

    async def world(request: Request) -> Response:
        return await asked(request, show)

    async def cancel(_request: Request) -> Response:
        watching.cancel()
        return Response(status_code=204)

    routes = [
        Route("/api/events", events, methods=["GET"]),
        Route("/api/plan", plan, methods=["GET"]),
        Route("/api/why", why, methods=["GET"]),
        Route("/api/run", run, methods=["POST"]),
        Route("/api/world", world, methods=["POST"]),
        Route("/api/cancel", cancel, methods=["POST"]),
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


def listening(port: int) -> list[socket.socket]:
    """Sockets on loopback, of IPv4 and where this machine has it of IPv6; `port` 0 is a free one. Raises OSError if it is taken.

    Browsers try ::1 first. Another user who listened there would get the page's address, and the token from its fragment.
    """
    for attempts_left in reversed(range(20)):
        found = _bound(socket.AF_INET, "127.0.0.1", port)
        try:
            return [found, _bound(socket.AF_INET6, "::1", found.getsockname()[1])]
        except OSError as error:
            if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return [found]
            found.close()
            if port or not attempts_left:
                raise
    raise AssertionError("unreachable")


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((address, port))
        found.listen(64)
    except BaseException:
        found.close()
        raise
    return found


def config(app: ASGIApp) -> uvicorn.Config:
    """No word of each request, and no long goodbye to streams."""
    import uvicorn

    return uvicorn.Config(
        app, log_level="critical", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1
    )


def serve(app: ASGIApp, on: Sequence[socket.socket]) -> None:
    """Until interrupted."""
    import uvicorn

    uvicorn.Server(config(app)).run(sockets=[*on])
