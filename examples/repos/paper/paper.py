"""How the example's pages look: one style sheet, one frame, and a small HTTP server that answers from a function."""

import html
import json
import signal
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

STYLE = """
:root { color-scheme: light dark; --ink: #22302c; --paper: #f7f3ea; --card: #fffdf7; --line: #d9d2c0; --accent: #b4532a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e9e4d6; --paper: #1b2220; --card: #242d2a; --line: #3a4642; --accent: #e58b62; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 Georgia, "Iowan Old Style", serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: 2.6rem; margin: 0; letter-spacing: -.02em; }
h1 + p { margin: .2rem 0 2rem; opacity: .75; }
blockquote { margin: 0 0 2rem; padding: .2rem 0 .2rem 1.25rem; border-left: 4px solid var(--accent); font-size: 1.25rem; }
blockquote footer { font-size: .95rem; opacity: .75; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); padding: 0; list-style: none; }
.cards li { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 1rem 1.1rem;
  box-shadow: 0 1px 0 var(--line); overflow-wrap: anywhere; }
.cards time { display: block; margin-top: .6rem; font-size: .8rem; opacity: .6; }
form { display: flex; gap: .6rem; margin-bottom: 1.5rem; }
input { flex: 1; min-width: 0; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; padding: .55rem .8rem; }
input:focus, button:focus { outline: 2px solid var(--accent); outline-offset: 2px; }
button { font: inherit; color: #fff; background: var(--accent); border: 0; border-radius: 6px; padding: .55rem 1.2rem; cursor: pointer; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; margin-top: 2.5rem; }
td { border-top: 1px solid var(--line); padding: .45rem .6rem .45rem 0; vertical-align: top; }
code { font: .88em ui-monospace, Menlo, Consolas, monospace; }
"""


def page(title: str, subtitle: str, body: str) -> str:
    """A whole HTML page; `title` and `subtitle` are plain text, `body` is HTML."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><main><h1>{html.escape(title)}</h1><p>{html.escape(subtitle)}</p>
{body}
</main></body></html>
"""


class Answer:
    """What a handler hands back: a page by default, `Answer.of(value)` for JSON, `Answer.go(path)` after a form."""

    def __init__(
        self, text: str, kind: str = "text/html; charset=utf-8", status: int = 200, location: str = ""
    ) -> None:
        self.body, self.kind, self.status, self.location = text.encode(), kind, status, location

    @classmethod
    def of(cls, value: object) -> "Answer":
        return cls(json.dumps(value, ensure_ascii=False) + "\n", "application/json")

    @classmethod
    def go(cls, path: str) -> "Answer":
        return cls("", status=303, location=path)


Handler = Callable[[str, str, dict[str, str]], Answer | None]


def serve(port: int, handle: Handler) -> None:
    """Answer on `port` until a SIGTERM; `handle(method, path, form)` gives the Answer, or None for 404."""

    class Requests(BaseHTTPRequestHandler):
        def answer(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
            fields = {name: values[0] for name, values in parse_qs(form).items()}
            answer = handle(self.command, self.path.split("?")[0], fields) or Answer("not here\n", "text/plain", 404)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            if answer.location:
                self.send_header("Location", answer.location)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = answer

        def log_message(self, template: str, *words: object) -> None:
            print(template % words, flush=True)

    # The first process of a container gets no signal that it has no handler for: without one each stop would take its full time.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ThreadingHTTPServer(("", port), Requests).serve_forever()
