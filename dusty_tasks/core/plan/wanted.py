"""What should run: the compiled stack as the run phase sees it, one entry a container. compile writes it to `state/wanted.json`.

`core/plan/plan` compares it with what was found; nothing in the run phase reads specs, templates or YAML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.code.reloading import Rules
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.code.repo_entry import from_json as repo_from_json
from dusty_tasks.core.specs.reload import rules_from_json


class WantedContainer(NamedTuple):
    name: str
    """The spec's name, or `dustyInternalNginx`."""
    kind: str
    """`app`, `service` or `proxy`."""
    container_name: str
    """`dusty_<name>_1`."""
    mapping: dict[str, Any]
    """Its mapping exactly as in build/docker-compose.yml: a differing key calls for a recreation, and names the cause."""
    always_digest: str = ""
    """sha256 of what start.sh does on every start (`always`, working folder, assets' paths); differing: restart. '' for others."""
    once_digests: dict[str, str] = {}  # never changed
    """What the label `dusty.recreate` is made of, by lib with install lines, '' for `once`: it tells which of them changed."""
    repo_ids: tuple[str, ...] = ()
    """Same-container repos: its own first, then its libs' in lib order; changed code: restart."""
    asset_keys: tuple[str, ...] = ()
    """Assets visible in it; changed bytes: restart."""
    mounts_assets: bool = False
    """True if each of them is mounted at its place: one that is not set is an empty file there, or the engine would make a folder."""
    spec_files: tuple[str, ...] = ()
    """Files and folders of the specs repo that it mounts; changed content: restart."""
    after: tuple[str, ...] = ()
    """Names of wanted containers that must be started before it."""
    shares_network_of: str = ""
    """Name of the container whose network it joins, or ''."""
    is_job: bool = False
    """It runs to its end."""
    before_copy: tuple[str, ...] = ()
    """Shell lines that it runs before what it keeps is copied."""
    after_copy: tuple[str, ...] = ()
    """Those that it runs after that, whatever became of the copy."""
    ready_within: str = ""
    """The time that `ready` of an app gives it, as its spec has it; '' without `ready`."""
    needs_login: bool = False
    build_context: str = ""
    """Absolute folder of its `build:`, or '' when it runs an `image:`."""
    http_urls: tuple[str, ...] = ()
    """URLs of its http routes, in route order, for example `http://local.web.test:8080/`."""
    http_ports: tuple[int, ...] = ()
    """The port in it that each of them leads to."""
    route_ports: tuple[int, ...] = ()
    """The ports in it that its routes lead to, http and stream, each once, in route order."""
    stream_ports: tuple[int, ...] = ()
    """Those of its other routes: a connection is all that can be asked of them."""
    reload: Mapping[str, Sequence[Rules]] = {}  # never changed
    """Repo id -> the rules of each that brings the repo into the container; of those alone where something else than a restart may follow."""
    code: str = ""
    """Where its own code lies in it, or ''."""
    secrets: Mapping[str, str] = {}  # never changed
    """Environment variable -> its text with `${{NAME}}` for secrets: the values are in no artifact."""


class Wanted(NamedTuple):
    """All of `state/wanted.json`; its file form is the same names as JSON keys (see core/wanted.to_json, from_json)."""

    containers: tuple[WantedContainer, ...]
    """Dependencies first, ties by name."""
    repos: tuple[RepoEntry, ...] = ()
    assets: dict[str, dict[str, Any]] = {}
    """Key -> {"used_by": [...], "required_by": [...]}."""
    host_ports: tuple[int, ...] = ()
    """Ports that the proxy listens on."""
    bundles: tuple[str, ...] = ()
    https: dict[str, list[str]] | None = None
    """Id of a certificate that the proxy needs -> its names; None with `https: off`."""
    powers: tuple[dict[str, Any], ...] = ()
    """What the specs ask for beyond containers of their own, in the form of core/powers."""


def to_json(wanted: Wanted) -> dict[str, Any]:
    """The JSON form of `wanted`: field names as keys, tuples as lists."""
    return {
        **wanted._asdict(),
        "containers": [container._asdict() for container in wanted.containers],
        "repos": [entry.to_json() for entry in wanted.repos],
    }


def from_json(data: dict[str, Any]) -> Wanted:
    """The inverse of to_json; lists become tuples. Raises KeyError/TypeError/ValueError on another form (an old file)."""
    containers = tuple(map(_container, data["containers"]))
    repos = tuple(map(repo_from_json, data.get("repos") or ()))
    rest = {key: _tuple(value) for key, value in data.items() if key not in ("containers", "repos")}
    return Wanted(containers=containers, repos=repos, **rest)


def _container(entry: dict[str, Any]) -> WantedContainer:
    rules = {
        repo_id: [rules_from_json(each) for each in users] for repo_id, users in (entry.get("reload") or {}).items()
    }
    return WantedContainer(**{**{key: _tuple(value) for key, value in entry.items()}, "reload": rules})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
