"""What `lookup` tells of a stack, and the repo that a folder belongs to."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.lookup import repo_of_folder, stack_facts, told
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.stack.model import Route
from dusty_tasks.core.text.namespace import Namespace

DB = {
    "ports": ["127.0.0.1:5432:5432", "80", {"target": "53-54", "published": "5300-5301", "protocol": "udp"}],
    "volumes": [
        "/h/persist/db:/var/lib/db",
        "/h/cp/db:/cp",
        "/h/persist/repos/x:/code",
        "/h/persist/dusty_assets/db/K:/k:ro",
        "/hosts:/elsewhere",
        "store:/store",
        {"type": "bind", "source": "/h/persist/$$odd", "target": "/odd"},
    ],
}


def facts(root: str = "/h") -> dict:
    wanted = Wanted(
        (
            WantedContainer("dustyInternalNginx", "proxy", "dusty_dustyInternalNginx_1", {"ports": ["80:80"]}),
            WantedContainer("web", "app", "dusty_web_1", {}, http_urls=("http://web.test/",), code="/code"),
            WantedContainer("db", "service", "dusty_db_1", DB),
        )
    )
    routes = [Route("db", 0, "db.test", 5432, 5432, "stream"), Route("web", 0, "web.test", 80, 80, "http")]
    return stack_facts(wanted, routes, Settings(home="/d", host=HostSettings(root=root)))


@pytest.mark.parametrize("root", ["/h", "/h/"])
def test_ports_data_and_volumes_are_named_as_they_are_on_the_docker_host(root: str) -> None:
    told_of = {container["name"]: container for container in facts(root)["containers"]}
    assert list(told_of) == ["db", "web", "dustyInternalNginx"], "the proxy comes last"
    assert told_of["db"]["ports"] == [
        {"address": "127.0.0.1", "port": 5432, "protocol": "tcp"},
        {"address": "", "port": 5300, "protocol": "udp"},
        {"address": "", "port": 5301, "protocol": "udp"},
    ]
    assert told_of["db"]["data"] == ["/h/persist/db", "/h/persist/$odd"]
    assert told_of["db"]["volumes"] == [Namespace().volume("store")]
    assert told_of["db"]["streams"] == ["db.test:5432"] and told_of["db"]["urls"] == []
    assert facts()["urls"] == told_of["web"]["urls"] == ["http://web.test/"]


def test_a_person_reads_lines() -> None:
    lines = told({"world": "base", "why": "w", "home": "/d", "repo": "shop", "parts": ["web"], **facts()})
    assert "repo     shop, used by web" in lines
    assert "  port   127.0.0.1:5432/tcp" in lines and "  url    http://web.test/" in lines


@pytest.mark.parametrize(
    ("folder", "wanted"),
    [
        ("/src/shop", "shop"),
        ("/src/shop/a/b", "shop"),
        ("/src/shop/vendor/lib/x", "lib"),
        ("/src/shopping", ""),
        ("/", ""),
    ],
)
def test_a_folder_belongs_to_the_innermost_repo(folder: str, wanted: str) -> None:
    assert repo_of_folder(folder, {"shop": "/src/shop", "lib": "/src/shop/vendor/lib/"}) == wanted
