"""Assembly: what the golden cases cannot say in files (docs/specs.md)."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.specs.model import App, Asset, Bundle, Forwarding, Lib, Script, Service, Specs, Suite
from dusty_tasks.core.specs.model import Tests as SuiteTests
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.stack.assemble import assemble, lib_order_of, ordered
from dusty_tasks.core.stack.json_form import stack_from_json, stack_json

NAMES = [f"l{number}" for number in range(8)]


def lib(name: str, *needs: str) -> Lib:
    return Lib(name, f"libs/{name}.yml", repo_of(f"/src/{name}"), f"/libs/{name}", ("make",), needs)


@st.composite
def acyclic_libs(draw: st.DrawFn) -> dict[str, Lib]:
    order = draw(st.permutations(NAMES))
    return {
        name: lib(name, *draw(st.lists(st.sampled_from(order[:i]), unique=True) if i else st.just([])))
        for i, name in enumerate(order)
    }


@given(acyclic_libs(), st.lists(st.sampled_from(NAMES), unique=True))
def test_libs_come_after_what_they_need_and_in_one_order_only(libs: dict[str, Lib], wanted: list[str]) -> None:
    order = lib_order_of(libs, wanted)
    assert len(set(order)) == len(order) and set(wanted) <= set(order)
    for position, name in enumerate(order):
        assert set(libs[name].libs) <= set(order[:position])
    assert order == lib_order_of(dict(sorted(libs.items())), sorted(wanted, reverse=True))


def test_ties_are_broken_by_name_at_each_step() -> None:
    assert ordered("dcba", lambda name: {"a": "d", "b": ""}.get(name, "")) == ["b", "c", "d", "a"]


def everything() -> Specs:
    suite = Suite("unit", ("run",), "all of it", "-v", ("db",), {"environment": {"A": None}})
    web = App(
        "web",
        "apps/web.yml",
        ("run",),
        ("setup",),
        repo_of("github.com/org/web"),
        "/web",
        "image",
        None,
        True,
        ("db",),
        ("api",),
        ("top",),
        ("api",),
        ("db",),
        (Forwarding("w.test", 80, 1), Forwarding("w.test", 22, 22, "stream")),
        (Script("reset", ("a", "b"), "again"),),
        (Asset("KEY", "/key", False),),
        {"ports": ["1:1"], "x-y": {"deep": [1, 2.5, None]}},
        SuiteTests("image", None, True, ("once",), ("*.txt",), (suite,)),
        "nfs",
    )
    api = App("api", "apps/api.yml", (), build="/b")
    return Specs(
        bundles={"main": Bundle("main", "bundles/main.yml", "", ("web",), ("db",))},
        apps={"api": api, "web": web},
        libs={"base": lib("base"), "top": lib("top", "base")},
        services={"db": Service("db", "services/db.yml", {"image": "x"})},
    )


def test_a_stack_comes_back_from_its_file_as_it_was() -> None:
    stack, _ = assemble(everything(), ["main"])
    assert stack_from_json(stack_json(stack, {})) == stack
    assert stack_json(stack_from_json(stack_json(stack, {})), {}) == stack_json(stack, {})


def test_assembling_changes_nothing_and_gives_the_same_twice() -> None:
    specs = everything()
    before = copy.deepcopy(specs)
    assert assemble(specs, ["main"]) == assemble(specs, ["main"])
    assert specs == before


def test_a_bundle_is_found_in_any_normal_form() -> None:
    specs = Specs(bundles={"B\u00fcro": Bundle("B\u00fcro", "bundles/x.yml", services=())})
    assert assemble(specs, ["Bu\u0308ro"])[0].bundles == ("B\u00fcro",)
