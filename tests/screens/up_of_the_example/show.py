"""The first `up` of the example: one screen, from what was written to where it answers."""

from recorded import play_up

from dusty_tasks.core.plan.change import Change, Kind

NEW = "it has no container yet"
play_up(
    [
        *(
            Change(Kind.PULL, image, "it is not on the Docker host")
            for image in ("python:3.12-slim", "redis:7.4-bookworm", "nginx:1.28")
        ),
        Change(Kind.COMMAND_FILES, "", "those of board, paper, quotes are not on the Docker host yet"),
        *(
            Change(Kind.SYNC, f"local/{name}", "not on the Docker host yet", shown=name)
            for name in ("quotes", "board", "paper")
        ),
        Change(Kind.NGINX, "", "it is not on the Docker host"),
        *(
            Change(Kind.CREATE, name, NEW, f"apps/{name}.yml:1:1")
            for name in ("quotes", "redis", "dustyInternalNginx", "board")
        ),
        Change(Kind.HOSTS, "", "it differs from the compiled one"),
    ],
    files=14,
    urls={"board": ("http://board.example.test/",), "quotes": ("http://quotes.example.test/",)},
)
