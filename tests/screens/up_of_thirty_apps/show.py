"""The first `up` of thirty apps: two screens."""

from recorded import play_up

from dusty_tasks.core.plan.change import Change, Kind

NAMES = [f"service-{number:02}" for number in range(30)]
play_up(
    [
        *(Change(Kind.PULL, image, "it is not on the Docker host") for image in ("python:3.12-slim", "nginx:1.28")),
        Change(
            Kind.COMMAND_FILES,
            "",
            "those of service-00, service-01, service-02, service-03 and 26 more are not on the Docker host yet",
        ),
        *(Change(Kind.SYNC, f"github.com/acme/{name}", "it was never synced", shown=name) for name in NAMES),
        Change(Kind.NGINX, "", "it is not on the Docker host"),
        *(
            Change(Kind.CREATE, name, "it has no container yet", f"apps/{name}.yml:1:1")
            for name in [*NAMES, "dustyInternalNginx"]
        ),
        Change(Kind.HOSTS, "", "it differs from the compiled one"),
    ],
    files=94,
    urls={name: (f"http://{name}.example.test/",) for name in NAMES},
    seconds=71.3,
)
