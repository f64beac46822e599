"""`ready` of an app, as the health check that the engine runs in its container. Pure."""

from __future__ import annotations

from typing import Any

WITHIN = "60s"
INTERVAL, TIMEOUT, RETRIES = "2s", "5s", 3
_ASK = """\
if command -v wget >/dev/null 2>&1; then wget -q -T 4 -O /dev/null {url}
elif command -v curl >/dev/null 2>&1; then curl -fsS -m 4 -o /dev/null {url}
elif command -v python3 >/dev/null 2>&1; then python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=4)' {url}
else echo "no wget, curl or python3 in the image: write ready: {{command: ...}}" >&2; exit 1
fi"""


def healthcheck_of(ready: Any, ports: list[int]) -> dict[str, Any] | None:
    """The health check that `ready` stands for; None for none, or for one that cannot be understood. `ports` are those of routes."""
    import shlex

    if not isinstance(ready, dict):
        return None
    command, path, port = ready.get("command"), ready.get("http"), ready.get("port") or next(iter(ports), None)
    if isinstance(path, str) and port:
        command = _ASK.format(url=shlex.quote(f"http://127.0.0.1:{port}/{path.lstrip('/')}"))
    if not isinstance(command, str):
        return None
    return {
        "test": ["CMD-SHELL", command],
        "interval": INTERVAL,
        "timeout": TIMEOUT,
        "retries": RETRIES,
        "start_period": str(ready.get("within") or WITHIN),
    }
