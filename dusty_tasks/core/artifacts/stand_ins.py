"""What a stand-in image runs where its spec names no command: the server that it stands for, set up as that image has it."""

from __future__ import annotations

import json
from typing import NamedTuple


class Server(NamedTuple):
    """How a container of one image runs."""

    command: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    files: tuple[tuple[str, str, int], ...] = ()
    """(path below /, text, mode) of what Debian's package has otherwise."""
    folder: str = "/"

    @property
    def changes(self) -> list[str]:
        """As lines of a Dockerfile that `docker commit` takes; all of them, since one stand-in may be made from another."""
        return [
            f"ENTRYPOINT {json.dumps(self.entrypoint)}",
            f"CMD {json.dumps(self.command)}",
            f"WORKDIR {self.folder}",
        ]


NGINX = Server(
    ("nginx", "-g", "daemon off;"),
    files=(
        (
            "etc/nginx/conf.d/default.conf",
            "server {\n    listen 80;\n    location / {\n        root /usr/share/nginx/html;\n        index index.html;\n    }\n}\n",
            0o644,
        ),
    ),
)
PYTHON = Server(("python3",), files=(("usr/local/bin/python", '#!/bin/sh\nexec python3 "$@"\n', 0o755),))
REDIS = Server(
    ("redis-server",),
    ("/usr/local/bin/docker-entrypoint.sh",),
    folder="/data",
    files=(
        # As in that image: options or a file alone are those of the server, and other containers may connect.
        (
            "usr/local/bin/docker-entrypoint.sh",
            """\
#!/bin/sh
set -e
case "${1-}" in -*|*.conf) set -- redis-server "$@" ;; esac
if [ "${1-}" = redis-server ]; then
    case " $* " in *--protected-mode*|*.conf\\ *) ;; *) set -- "$@" --protected-mode no ;; esac
fi
exec "$@"
""",
            0o755,
        ),
    ),
)


def server_of(image_name: str) -> Server:
    """The server that the image of this name runs; nginx for the proxy's, whatever the settings call it."""
    repository = image_name.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return {"redis": REDIS, "python": PYTHON}.get(repository, NGINX)
