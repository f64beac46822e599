"""`status` after the first `up` of the example: four parts, each on its line."""

from recorded import facts, part, repo

from dusty_tasks.verbs import status

status.show(
    facts(
        [
            part("board", since="4 seconds", code="159e169", routes=["http://board.example.test/"]),
            part(
                "quotes",
                since="6 seconds",
                code="1e2cb8a",
                routes=["http://quotes.example.test/", "quotes.example.test:1717"],
            ),
            part("redis", state="running (healthy)", since="6 seconds", type="service", image="redis:7"),
            part("dustyInternalNginx", since="6 seconds", type="proxy", image="nginx:1.28"),
            {"name": "paper", "type": "lib", "state": "", "condition": "", "why": "", "routes": [], "pending": ""},
        ],
        [repo("board"), repo("quotes"), repo("paper")],
        bundles=["example"],
    )
)
