"""`dusty disable` and `dusty enable`: a part less, on this machine, until it is enabled."""

from __future__ import annotations

from chosen import Chosen
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.model import App, Bundle, Reference, Service, Specs
from dusty_tasks.core.stack.disabled import without

NAMES = ("web", "api", "redis", "db")


def specs() -> Specs:
    return Specs(
        bundles={"main": Bundle("main", "bundles/main.yml", apps=("web",), services=("db",))},
        apps={
            "web": App(
                "web", "apps/web.yml", ("run",), apps=("api",), services=("redis",), compose={"links": ["redis:r"]}
            ),
            "api": App("api", "apps/api.yml", ("run",), linked_services=("redis",)),
        },
        services={
            "redis": Service("redis", "services/redis.yml", {"image": "r", "depends_on": ["db"]}),
            "db": Service("db", "services/db.yml", {"image": "d"}),
        },
        references={"services/redis.yml": (Reference(("depends_on", 0), "depends_on", "db"),)},
    )


def test_what_needs_it_runs_without_it() -> None:
    settings = Settings(home="/h", disabled=("redis", "db"))
    made = assemble_with_ports(specs(), ["main"], settings, {})
    assert (sorted(made.stack.apps), sorted(made.stack.services), made.problems) == (["api", "web"], [], [])
    assert made.stack.apps["web"].compose == {} and made.stack.apps["web"].services == ()


def test_what_it_alone_needed_goes_with_it() -> None:
    made = assemble_with_ports(specs(), ["main"], Settings(home="/h", disabled=("web",)), {})
    assert (list(made.stack.apps), list(made.stack.services)) == ([], ["db"])


@given(st.sets(st.sampled_from(NAMES)))
def test_no_name_of_it_is_left(names: set[str]) -> None:
    found = without(specs(), names)
    shown = repr((found.apps, found.services, found.bundles, found.references)).replace("redis:r", "redis")
    assert not [name for name in names if f"'{name}'" in shown]
    assert without(specs(), ()) == specs()


def test_it_is_kept_with_its_history_and_shown(dusty: Chosen) -> None:
    (app, *_) = dusty("bundles", "--json").out and ["web"]
    assert dusty("disable", "nosuch").code == 1
    assert f"disabled {app}" in dusty("disable", app).out
    assert "already disabled" in dusty("disable", app).out
    assert dusty("disable").out == f"{app}\n" and dusty("config", "get", "disabled").out == f'["{app}"]\n'
    assert dusty("enable", "nosuch").code == 1
    assert f"enabled {app}" in dusty("enable", app).out
    assert dusty("disable").out == "nothing is disabled\n"
    assert [what for what in dusty.log() if "able" in what][:2] == [f"enable {app}", f"disable {app}"]
