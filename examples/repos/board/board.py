"""The notice board: notices from Redis, and a quotation that it asks for under both of that app's names."""

import html
import json
import time
from urllib.request import urlopen

import notices
from paper import Answer, page, serve

BY_APP_NAME = "http://quotes:8000/"
BY_HOST_NAME = "http://quotes.example.test/"


def quotation(url: str) -> dict[str, str]:
    """What the app `quotes` says at `url`, or why it did not."""
    try:
        with urlopen(url, timeout=3) as answer:
            return json.load(answer)
    except (OSError, ValueError) as problem:
        return {"text": "", "author": "", "problem": str(problem)}


def row(way: str, url: str, answer: dict[str, str]) -> str:
    said = answer.get("problem") or f"answered, quoting {answer['author']}"
    return f"<tr><td>{way}</td><td><code>{html.escape(url)}</code></td><td>{html.escape(said)}</td></tr>"


def card(when: int, text: str) -> str:
    return f"<li>{html.escape(text)}<time>{time.strftime('%d %B, %H:%M', time.localtime(when))}</time></li>"


def body(pinned: list[tuple[int, str]], near: dict[str, str], far: dict[str, str]) -> str:
    cards = "".join(card(when, text) for when, text in pinned) or "<li>Nothing is pinned here yet.</li>"
    return f"""<blockquote>{html.escape(far["text"])}<footer>{html.escape(far["author"])}</footer></blockquote>
<form method="post"><input name="text" placeholder="Pin a notice" autofocus required maxlength="300"><button>Pin</button></form>
<ul class="cards">{cards}</ul>
<table>
{row("by its app name", BY_APP_NAME, near)}
{row("by its host name, through the proxy", BY_HOST_NAME, far)}
<tr><td>notices</td><td><code>redis:6379</code></td><td>{len(pinned)} kept under /persist</td></tr>
</table>"""


def handle(method: str, path: str, form: dict[str, str]) -> Answer | None:
    if path == "/healthz":
        return Answer("ok\n", "text/plain")
    if path != "/":
        return None
    try:
        if method == "POST":
            if text := form.get("text", "").strip()[:300]:
                notices.post(text)
            return Answer.go("/")
        pinned = notices.all_notices()
    except OSError as problem:
        return Answer(page("Notice board", f"Redis does not answer: {problem}", ""), status=503)
    shown = body(pinned, quotation(BY_APP_NAME), quotation(BY_HOST_NAME))
    return Answer(page("Notice board", "Two apps, a lib and a service, launched by Dusty.", shown))


if __name__ == "__main__":
    print("the board answers on port 8000", flush=True)
    serve(8000, handle)
