"""Checks over all specs: what the golden cases cannot say in files, and what must stay allowed."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.cycles import MOST
from dusty_tasks.core.check.specs import check_specs
from dusty_tasks.core.check.stack import check_stack
from dusty_tasks.core.stack.assemble import assemble
from dusty_tasks.core.text.problems import errors
from tests.core.spec_text import APP, checked, document, fine, said

LIB = "repo: /src/{0}\nmount: /{0}\n"


def test_specs_of_the_first_era_are_fine() -> None:
    """Compose v1 throughout, an app and a lib of one name, a name with an underscore, unquoted numbers everywhere."""
    texts = {
        "bundles/shop.yml": "description: >\n  The shop,\n  all of it\napps:\n  - storefront\n",
        "bundles/blog_1.yml": "description: Blog\napps: [blog]\nservices: [persistent_mongo]\n",
        "apps/storefront.yml": """
            repo: git@git.example.com:acme/storefront.git
            mount: /storefront
            build: .
            host_forwarding:
              - host_name: local.storefront.example.com
                host_port: 80
                container_port: 5000
              - host_name: local.storefront.example.com
                host_port: 2222
                container_port: 22
                type: stream
            depends:
              apps: [blog]
              libs: [helpers]
              services: [persistent_mongo, redis-1.0]
            conditional_links:
              apps: [helpers]
            commands:
              always:
                - python -u app.py
              once:
                - pip install -r requirements.txt
            scripts:
              - name: reset_db
                description: Empty the database
                command:
                  - ./reset.sh --hard
            assets:
              - name: GITHUB_KEY
                path: /root/.ssh/id_rsa
                required: false
            compose:
              env_file: common.env
              environment:
                - DEBUG=1
                - PYTHONUNBUFFERED=yes
              net: bridge
              log_driver: json-file
              mem_limit: 512m
              volumes:
                - /persist/storefront:/var/lib/storefront
              working_dir: /storefront
            test:
              image: python:2.7
              once: [pip install nose]
              suites:
                - name: nose
                  description: Unit tests
                  command: [nosetests]
                  default_args: "-v tests"
                  services: [persistent_mongo]
                  compose: {environment: {A: 1}}
            """,
        "apps/blog.yml": "image: example.com:5000/blog:1.0\nimage_requires_login: true\ncommands: {always: [run]}\n",
        "apps/helpers.yml": APP + "test: {}\n",
        "libs/helpers.yml": "repo: github.com/acme/helpers\nmount: /helpers\ninstall: [python setup.py develop]\ntest: {image: python:2.7}\n",
        "services/persistent_mongo.yml": "image: mongo:2.6\ncommand: mongod --smallfiles\nvolumes: [/persist/mongo:/data/db]\nports: [27017]\n",
        "services/redis-1.0.yml": "image: redis\nlinks: [persistent_mongo:db]\nvolumes_from: [persistent_mongo]\nrestart: always\n",
    }
    specs, problems = checked(texts)
    assert problems == []
    assert specs.apps["storefront"].forwardings[1].kind == "stream"
    assert specs.services["persistent_mongo"].compose["ports"] == ["27017"]


def test_everything_is_the_same_in_any_order() -> None:
    texts = {
        f"apps/a{i}.yml": APP
        + f"depends: {{apps: [a{(i + 1) % 5}]}}\nhost_forwarding: [{{host_name: x.test, host_port: 80, "
        "container_port: 1}]\n"
        for i in range(5)
    }
    texts |= {"libs/Bad.yml": "x", "services/s.yml": "image: 'a b'\n", "bundles/b.yml": "apps: [a0, nope]\n"}
    documents = [document(file, text) for file, text in sorted(texts.items())]
    specs, wanted = check_specs(documents)
    shuffled = documents[:]
    for seed in range(5):
        random.Random(seed).shuffle(shuffled)
        found_specs, found = check_specs(sorted(shuffled, key=lambda one: one.file))
        assert found == wanted
        assert list(found_specs.apps) == list(specs.apps) == sorted(specs.apps)


def test_names_that_differ_in_case_alone() -> None:
    documents = [
        document(f"{folder}/{name}.yml", text)
        for folder, text in (("bundles", "apps: [a]\n"), ("services", "image: x\n"))
        for name in ("One", "one")
    ] + [document("apps/a.yml", APP)]
    assert [problem.what for problem in check_specs(documents)[1]] == [
        '"one" differs from "One" only in case (bundles/One.yml)',
        '"one" differs from "One" only in case (services/One.yml)',
    ]


def test_one_bundle_in_two_normal_forms_is_one_name() -> None:
    documents = [
        document("bundles/Bu\u0308ro.yml", "apps: [a]\n"),
        document("bundles/B\u00fcro.yml", "apps: [a]\n"),
        document("apps/a.yml", APP),
    ]
    assert [problem.what for problem in errors(check_specs(documents)[1])] == [
        '"B\u00fcro" is also the name of bundles/Bu\u0308ro.yml'
    ]


def test_libs_of_one_repo_and_path_become_one_mount() -> None:
    same = "repo: /src/same\nmount: /same\n"
    assert said({"apps/a.yml": APP + "depends: {libs: [x, y]}\n", "libs/x.yml": same, "libs/y.yml": same}) == []


def test_a_mount_clash_is_found_through_libs_of_libs() -> None:
    texts = {
        "apps/a.yml": "repo: /src/a\nmount: /x\n" + APP + "depends: {libs: [one]}\n",
        "libs/one.yml": LIB.format("one") + "depends: {libs: [x]}\n",
        "libs/x.yml": LIB.format("x"),
    }
    assert said(texts) == ['apps/a.yml: mount: /x is already the mount of lib "x"']
    assert said({**texts, "apps/a.yml": texts["apps/a.yml"].replace("[one]", "[]")}) == []


def test_the_first_spelling_of_a_repo_is_used_for_all() -> None:
    specs, problems = checked(
        {"apps/a.yml": "repo: https://git.corp/x\nmount: /a\n" + APP, "libs/l.yml": "repo: git.corp/x\nmount: /l\n"}
    )
    assert [problem.is_warning for problem in problems] == [True]
    assert specs.libs["l"].repo.url == specs.apps["a"].repo.url == "https://git.corp/x.git"  # type: ignore[union-attr]
    assert specs.libs["l"].repo.written == "git.corp/x"


def test_a_wrong_key_stops_only_the_checks_that_need_it() -> None:
    found = said(
        {
            "apps/a.yml": APP.replace("busybox:1", "'b b'") + "depends: {apps: text, services: [nope]}\n"
            "host_forwarding:\n  - {host_name: bad name, host_port: 80, container_port: 1}\n"
            "  - {host_name: x.test, host_port: 80, container_port: 1}\n  - {host_name: x.test, host_port: 80, container_port: 2}\n"
        }
    )
    assert found == [
        'apps/a.yml: image: "b b" contains a blank',
        "apps/a.yml: depends.apps: must be a list of strings, not a string",
        'apps/a.yml: depends.services[0]: no service named "nope"',
        'apps/a.yml: host_forwarding[0].host_name: "bad name" is not a DNS name',
        "apps/a.yml: host_forwarding[2]: x.test:80 is already forwarded at apps/a.yml:6:5",
    ]


def test_bundles_that_clash_are_fine_until_both_are_active() -> None:
    route = "host_forwarding: [{host_name: x.test, host_port: 80, container_port: 1}]\n"
    specs = fine(
        {
            "bundles/one.yml": "apps: [a]\n",
            "bundles/two.yml": "apps: [b]\n",
            "apps/a.yml": APP + route,
            "apps/b.yml": APP + route,
        }
    )
    assert check_stack(specs, assemble(specs, ["one"])[0]) == []
    assert check_stack(specs, assemble(specs, ["two"])[0]) == []
    assert [problem.what for problem in check_stack(specs, assemble(specs, ["one", "two"])[0])] == [
        "x.test:80 is already forwarded at apps/a.yml:3:19"
    ]


def test_what_a_suite_names_need_not_be_active() -> None:
    specs = fine(
        {
            "apps/a.yml": APP
            + "test: {image: x, suites: [{name: u, command: [x], services: [s], compose: {volumes_from: [s]}}]}\n",
            "services/s.yml": "image: s\n",
        }
    )
    assert check_stack(specs, assemble(specs, ["all"])[0]) == []


def names(graph: dict[int, set[int]]) -> dict[str, str]:
    return {
        f"libs/l{one}.yml": LIB.format(f"l{one}")
        + f"depends: {{libs: [{', '.join(f'l{other}' for other in sorted(others))}]}}\n"
        for one, others in graph.items()
    }


def depends_on_itself(graph: dict[int, set[int]], start: int) -> bool:
    reached: set[int] = set()
    waiting = list(graph[start])
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += graph[one]
    return start in reached


@given(st.dictionaries(st.integers(0, 7), st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=8))
def test_cycles_are_real_and_every_edge_of_a_cycle_is_in_one(wild: dict[int, set[int]]) -> None:
    graph = {one: {other for other in others if other in wild} for one, others in wild.items()}
    _, problems = checked({**names(graph), "services/s.yml": "image: s\n"})
    cycles = [
        problem.what.removeprefix("cycle: ").split(" -> ") for problem in problems if problem.what.startswith("cycle")
    ]
    edges = {(int(one[1:]), int(other[1:])) for cycle in cycles for one, other in pairwise(cycle)}
    assert all(other in graph[one] for one, other in edges)
    for cycle in cycles:
        assert cycle[0] == cycle[-1] == min(cycle)
        assert len(set(cycle)) == len(cycle) - 1
    assert len({tuple(cycle) for cycle in cycles}) == len(cycles)
    on_cycle = {one for one in graph if depends_on_itself(graph, one)}
    assert {one for one, _ in edges} == on_cycle


def test_long_chains_and_rings_end_no_recursion() -> None:
    ring = {f"libs/l{i}.yml": LIB.format(f"l{i}") + f"depends: {{libs: [l{(i + 1) % 300}]}}\n" for i in range(300)}
    assert sum(problem.startswith("libs/l0.yml: depends.libs[0]: cycle: l0 -> l1 ->") for problem in said(ring)) == 1
    chain = {f"services/s{i}.yml": f"image: x\nlinks: [s{i + 1}]\n" for i in range(1200)}
    assert said({**chain, "services/s1200.yml": "image: x\n", "bundles/all.yml": "services: [s0]\n"}) == []


def test_of_a_tangle_the_first_few_cycles_are_told() -> None:
    names = [f"a{number}" for number in range(60)]
    tangle = {
        f"apps/{name}.yml": f"{APP}depends: {{apps: [{', '.join(other for other in names if other != name)}]}}\n"
        for name in names
    }
    pair = {f"apps/{one}.yml": f"{APP}depends: {{apps: [{other}]}}\n" for one, other in (("x", "y"), ("y", "x"))}
    cycles = [problem for problem in said({**tangle, **pair}) if "cycle: " in problem]
    assert len(cycles) == MOST + 1 and "apps/x.yml: depends.apps[0]: cycle: x -> y -> x" in cycles
