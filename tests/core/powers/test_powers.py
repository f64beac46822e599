"""Powers: what specs ask for beyond containers of their own. Which keys hold one is the golden case tests/cases/powers."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.powers.folders import moving_image, private_folder
from dusty_tasks.core.powers.model import Power, digest_of, from_json, held_against
from dusty_tasks.core.powers.rules import powers_of
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.specs.compose_keys.known import KNOWN_KEYS
from dusty_tasks.core.stack.assemble import assemble
from tests.core.spec_text import fine

SETTINGS = Settings(home="/home/dev/.dusty", host=HostSettings(root="/home/dev/.dusty/host"))
APP = "repo: {repo}\nmount: /app\nimage: busybox:1\ncommands: {{always: [serve]}}\n"


def powers(service: str, app: str = "") -> list[Power]:
    texts = {"services/db.yml": service, "bundles/b.yml": f"services: [db]\napps: [{'web' if app else ''}]\n"}
    specs = fine({**texts, **({"apps/web.yml": app} if app else {})})
    return powers_of(assemble(specs, ["b"])[0], SETTINGS, "/specs")


def test_most_services_ask_for_nothing() -> None:
    assert (
        powers(
            "image: postgres:17\nvolumes: [/persist/db:/data, named:/x]\nports: ['5432:5432']\nenv_file: [a.env]\nenvironment: {A: 1}\n"
        )
        == []
    )


@pytest.mark.parametrize(
    "volume",
    [
        "/:/h",
        "/etc:/h:ro",
        "//etc:/h",
        "/persist/repos:/h",
        "/persist/./.dusty:/h",
        "/persist//dusty_assets/web:/h",
        "/persist/:/h",
        "{type: bind, source: /srv, target: /h}",
    ],
)
def test_mount_of_the_docker_host(volume: str) -> None:
    assert [
        power.key for power in powers(f"image: busybox:1\nvolumes: [{volume if volume[0] == '{' else repr(volume)}]\n")
    ] == ["volumes"]


@pytest.mark.parametrize(
    "path", ["../x.env", "a/../../x.env", "/etc/shadow", "/specs/../etc/shadow", "/specsuffix/x.env"]
)
def test_file_outside_the_specs(path: str) -> None:
    assert [power.key for power in powers(f"image: busybox:1\nenv_file: [{path}]\n")] == ["env_file"]


@pytest.mark.parametrize(
    ("path", "is_private"),
    [
        ("/home/dev/src/app", False),
        ("/root/app", False),
        ("/src/app", False),
        ("/var/www/app", False),
        ("/usr/src/app", False),
        ("/home/dev/.dusty/example/apps/board", False),
        ("/home/dev/.ssh", True),
        ("/home/dev/.config/x/y", True),
        ("/etc", True),
        ("/etc/ssl", True),
        ("/root", True),
        ("/home", True),
        ("/var/lib/docker", True),
        ("/proc/1", True),
    ],
)
def test_folder_that_no_spec_should_name_as_a_repo(path: str, is_private: bool) -> None:
    assert bool(private_folder(path, SETTINGS.home)) == is_private
    for repo in (path, f"file://{path}"):
        found = powers("image: busybox:1\n", APP.format(repo=repo))
        assert [power.key for power in found] == (["repo"] if is_private else [])


def test_variable_of_the_caller_leaves_this_machine_only_for_an_ssh_host() -> None:
    specs = fine(
        {
            "services/db.yml": "image: busybox:1\nenvironment: [TOKEN, TERM, LC_ALL, A=1]\n",
            "bundles/b.yml": "services: [db]\n",
        }
    )
    stack = assemble(specs, ["b"])[0]
    assert powers_of(stack, SETTINGS, "/specs") == []
    far = replace(SETTINGS, host=HostSettings(kind="ssh", root="/"))
    assert [power.value for power in powers_of(stack, far, "/specs")] == ["TOKEN"]
    assert powers_of(stack, replace(far, env={"db": {"TOKEN": "mine"}}), "/specs") == []


def test_override_of_a_repo_is_the_users_own_word() -> None:
    specs = fine({"apps/web.yml": APP.format(repo="/home/dev/.secret")})
    settings = replace(SETTINGS, repo_overrides={"home/dev/.secret": "/home/dev/.secret"})
    assert powers_of(assemble(specs, ["all"])[0], settings, "/specs") == []


def test_identity_knows_no_lines_and_no_order() -> None:
    before = powers("image: busybox:1\ncap_add: [A, B]\nvolumes: ['/etc:/e', '/srv:/s']\n")
    after = powers("# moved\nvolumes: ['/srv:/s', '/etc:/e']\n\nimage: busybox:2\ncap_add: [B, A]\n")
    assert {power.identity for power in before} == {power.identity for power in after} and digest_of(
        before
    ) == digest_of(after)


def test_another_value_is_another_power() -> None:
    first, second = (
        powers(f"image: busybox:1\nvolumes: ['{volume}']\n") for volume in ("/etc/ssh:/k:ro", "/etc/ssh:/k")
    )
    assert held_against(second, [first[0].identity]) == ((second[0],), (), (first[0].identity,))


def test_long_values_differ_to_their_end() -> None:
    lines = [
        f"image: busybox:1\npost_start: [{{privileged: true, command: [sh, -c, '{'x' * 400}{end}']}}]\n" for end in "ab"
    ]
    one, other = (powers(line)[0].identity for line in lines)
    assert one != other and len(one) < 300


def test_image_that_moves() -> None:
    moving = ["postgres", "postgres:latest", "registry.test:5000/a/b", "a/b:edge"]
    fixed = ["postgres:17", "a/b@sha256:0", "registry.test:5000/a/b:1.2"]
    assert [moving_image(image) for image in (*moving, *fixed)] == [True] * 4 + [False] * 3


NAMES = st.text("abc:/ ", min_size=1, max_size=6)


@given(
    st.lists(
        st.builds(Power, NAMES, NAMES, NAMES, st.just("meaning"), NAMES, st.tuples(NAMES, st.integers(0, 3))),
        max_size=8,
    ),
    st.lists(NAMES, max_size=4),
    st.randoms(),
)
def test_consent_is_to_a_set(found: list[Power], others: list[str], shuffle: random.Random) -> None:
    assert from_json([power.to_json() for power in found]) == found
    shuffled = list(found)
    shuffle.shuffle(shuffled)
    assert digest_of(shuffled) == digest_of([*found, *found])
    allowed = [power.identity for power in found]
    held = held_against(found, [*others, *allowed])
    assert (
        held.new == ()
        and {power.identity for power in held.allowed} == set(allowed)
        and set(held.gone) == set(others) - set(allowed)
    )
    if found:
        left = [identity for identity in allowed if identity != allowed[0]]
        assert {power.identity for power in held_against(found, left).new} == {allowed[0]}
        assert digest_of([power for power in found if power.identity != allowed[0]]) != digest_of(found)


QUIET = frozenset(
    """annotations attach blkio_config cap_drop command container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period
    cpu_rt_runtime cpu_shares cpus cpuset configs depends_on develop dns dns_opt dns_search dockerfile domainname entrypoint expose extends
    external_links group_add healthcheck hostname image init isolation labels links log_driver log_opt mac_address mem_limit
    mem_reservation mem_swappiness memswap_limit models net networks pids_limit platform ports profiles pull_policy pull_refresh_after read_only
    restart scale secrets shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits user volume_driver
    working_dir""".split()
)
"""Keys that give no power over the Docker host, each looked at."""


def test_every_compose_key_was_decided_on() -> None:
    from dusty_tasks.core.powers.keys import RULES

    assert set(RULES) | QUIET == KNOWN_KEYS and not set(RULES) & QUIET


@pytest.mark.parametrize(
    ("service", "asks"),
    [
        ("build: .\nimage: nginx:1.28-alpine\n", True),
        ("build: .\nimage: docker.io/library/nginx:1.28-alpine\n", True),
        ("build: {context: ., tags: [mine, 'busybox:1']}\n", True),
        ("build: .\nimage: mine\n", False),
        ("build: {context: ., tags: [mine]}\n", False),
    ],
)
def test_built_image_under_the_name_that_others_run(service: str, asks: bool) -> None:
    """The proxy's image would be run as root with folders of the Docker host, too (backups, ownership)."""
    found = powers(service, APP.format(repo="/src/app"))
    assert [power.key for power in found] == (["build.tags"] if asks else [])


@pytest.mark.parametrize(
    ("driver", "asks"),
    [("json-file", False), ("local", False), ("none", False), ("syslog", True), ("awslogs", True), ("splunk", True)],
)
def test_log_that_the_engine_sends_on(driver: str, asks: bool) -> None:
    for written in (f"logging: {{driver: {driver}}}\n", f"log_driver: {driver}\n"):
        assert [power.key for power in powers(f"image: busybox:1\n{written}")] == (["logging.driver"] if asks else [])
    assert powers("image: busybox:1\nlogging: {options: {max-size: 1m}}\n") == []


def test_variable_of_the_caller_as_an_argument_of_a_build() -> None:
    far = replace(SETTINGS, host=HostSettings(kind="ssh", root="/"))
    for args in ("[TOKEN, A=1, TZ]", "{TOKEN: , A: 1}"):
        stack = assemble(
            fine({"services/db.yml": f"build: {{context: ., args: {args}}}\n", "bundles/b.yml": "services: [db]\n"}),
            ["b"],
        )[0]
        assert powers_of(stack, SETTINGS, "/specs") == []
        assert [power.value for power in powers_of(stack, far, "/specs")] == ["TOKEN"]


def test_build_of_an_app_is_judged_as_that_of_a_service() -> None:
    build = "{context: docker, dockerfile: /etc/Dockerfile, ssh: [default], additional_contexts: {a: lib, b: /etc/b}}"
    app = f"repo: github.com/org/web\nmount: /app\nbuild: {build}\ncommands: {{always: [serve]}}\n"
    found = powers("image: busybox:1\n", app)
    assert [(power.key, power.path) for power in found] == [
        ("build.dockerfile", ("build", "dockerfile")),
        ("build.additional_contexts.b", ("build", "additional_contexts", "b")),
        ("build.ssh", ("build", "ssh")),
    ]


@pytest.mark.parametrize("source", ["//persist/x", "/./persist/x", "/persist/.restore-ready"])
def test_mount_that_only_looks_like_one_below_persist(source: str) -> None:
    """Compiled, it is a folder of the Docker host itself, or one of Dusty's own."""
    assert [power.key for power in powers(f"image: busybox:1\nvolumes: ['{source}:/x']\n")] == ["volumes"]


@pytest.mark.parametrize(
    ("above", "asks"),
    [
        ("/persist/data:/data", True),
        ("/persist//data/:/data:rw", True),
        ("{type: bind, source: /persist/data, target: /data}", True),
        ("/persist/data:/data:ro", False),
        ("{type: bind, source: /persist/data, target: /data, read_only: true}", False),
        ("/persist/dat:/data", False),
        ("/persist/data/sub:/data", False),
    ],
)
def test_mount_below_a_folder_that_another_container_writes_in(above: str, asks: bool) -> None:
    """The engine follows a link that stands there, to anything of the Docker host, also when it starts the container again by itself."""
    above = above if above[0] == "{" else repr(above)
    found = powers(
        "image: busybox:1\nvolumes: ['/persist/data/sub:/sub']\n",
        APP.format(repo="/src/app") + f"compose: {{volumes: [{above}]}}\n",
    )
    assert [power.value for power in found] == (["/persist/data/sub:/sub"] if asks else [])


@pytest.mark.parametrize(
    ("mode", "asks"),
    [
        ("bridge", False),
        ("none", False),
        ("service:web", False),
        ("other_default", True),
        ("host", True),
        ("container:x", True),
    ],
)
def test_network_of_others(mode: str, asks: bool) -> None:
    found = powers(f"image: busybox:1\nnetwork_mode: {mode}\n", APP.format(repo="/src/app"))
    assert [power.key for power in found] == (["network_mode"] if asks else [])
