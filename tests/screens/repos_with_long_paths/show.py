"""`repos`: short names; a path that does not fit stands on a line of its own, whole."""

from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.verbs import repos

PLACES = {
    "github.com/acme/board": ("managed", "/home/ada/.dusty/repos/x", "main", "clean"),
    "github.com/acme/search": (
        "override",
        "/home/ada/src/clients/acme/platform/services/search-and-indexing",
        "feature/faster-index",
        "dirty",
    ),
    "gitlab.acme.example/platform/tools/search": ("managed", "/home/ada/.dusty/repos/y", "main", "ahead"),
}


def row(repo: Repo) -> dict[str, str]:
    kind, path, branch, state = PLACES[repo.id]
    return {
        "id": repo.id,
        "short_name": repo.short_name,
        "written": repo.id,
        "kind": kind,
        "path": path,
        "branch": branch,
        "state": state,
    }


repos.known_repos = lambda: repos.Known(tuple(Repo(each, each, each, "") for each in PLACES))
repos._row = row
repos.list_repos(False)
