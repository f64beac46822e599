"""What becomes of a Compose project, key by key; every import here is proved as well."""

from __future__ import annotations

import pytest
import yaml
from of_stacks import EVERYTHING, everything, imported, of_services, row, text

from dusty_tasks.core.importing.compose_yaml import Refused
from dusty_tasks.core.importing.importing import Outcomes
from dusty_tasks.core.importing.surroundings import Checkout, Owned

WEB = "services:\n  web:\n    image: web\n"


def spec(made: Outcomes, path: str) -> dict[str, object]:
    assert not made.unproven
    found: dict[str, object] = yaml.safe_load(made.files[path])
    return found


def test_everything_that_compose_has_is_accounted_for_and_proved() -> None:
    made = imported(everything())
    assert made.unproven == []
    lost = [row.name for row in made.rows if row.outcome.value == "lost"]
    assert lost == ["worker.labels"], "two services cannot have one host name"
    assert {row.service for row in made.rows} >= {"web", "worker", "worker2", "db", "cache", "tools", "idle"}
    assert all(row.place.line > 0 and row.place.file for row in made.rows)


def test_a_second_import_gives_the_same_bytes() -> None:
    assert imported(everything()).files == imported(everything()).files


def test_variables_come_from_env_and_defaults_and_secrets_stay_out() -> None:
    made = imported(everything())
    variables = yaml.safe_load(made.files["vars.yml"])
    assert variables["TAG"] == {"default": "v1"}
    assert variables["LEVEL"] == {"default": "info"}
    assert variables["SHOP_TOKEN"] == {"secret": True}
    assert variables["HOME"] is None or "default" not in variables["HOME"]
    assert b"hunter2" not in b"".join(made.files.values())


@pytest.mark.parametrize(
    ("written", "spec_text", "default"),
    [
        ("${X}", "${{X}}", ""),
        ("a$X", "a${{X}}", ""),
        ("${X:-d}", "${{X}}", "d"),
        ("${X-d}", "${{X}}", "d"),
        ("${X:-${Y:-e}}", "${{X}}", "e"),
        ("${X:?must be set}", "${{X}}", None),
        ("$$X", "$X", "none"),
        ("$${X}", "${X}", "none"),
        ("${X:+set}", "", "none"),
    ],
)
def test_interpolation_becomes_variables(written: str, spec_text: str, default: str | None) -> None:
    made = of_services(f"{WEB}    environment: {{A: '{written}'}}\n")
    assert spec(made, "services/web.yml")["environment"] == {"A": spec_text}
    if default == "none":
        assert not made.variables
    else:
        assert made.variables["X"].default == default


def test_one_name_with_two_defaults_is_two_variables() -> None:
    made = of_services(f"{WEB}    environment: {{A: '${{X:-a}}', B: '${{X:-b}}', C: '${{X:-a}}'}}\n")
    assert spec(made, "services/web.yml")["environment"] == {"A": "${{X}}", "B": "${{X_2}}", "C": "${{X}}"}
    assert {name: found.default for name, found in made.variables.items()} == {"X": "a", "X_2": "b"}


def test_a_bind_in_a_checkout_makes_an_app() -> None:
    made = of_services(
        "services:\n  web:\n    image: node\n    command: npm start\n    volumes: ['./web:/srv', './web/conf:/etc/web:ro']\n"
        "    depends_on: {db: {condition: service_healthy}}\n  db: {image: db, healthcheck: {test: x}}\n",
        files={"web/index.js": "", "web/conf/x": ""},
        checkouts={"web": "github.com/org/web"},
    )
    assert spec(made, "apps/web.yml") == {
        "repo": "github.com/org/web",
        "mount": {".": "/srv", "conf": "/etc/web"},
        "image": "node",
        "depends": {"services": [{"name": "db", "until": "ready"}]},
        "compose": {"command": "npm start"},
    }
    assert row(made, "web.volumes").outcome.value == "own way"
    assert spec(made, "bundles/project.yml")["apps"] == ["web"]


def test_a_build_in_a_checkout_makes_an_app() -> None:
    made = of_services(
        "services:\n  web:\n    build: {context: ., dockerfile: web/Dockerfile, args: {A: 1}}\n    image: org/web\n",
        files={"web/Dockerfile": ""},
        checkouts={".": "github.com/org/mono"},
    )
    assert spec(made, "apps/web.yml") == {
        "repo": "github.com/org/mono",
        "mount": {"web": "/repo/project/web"},
        "build": {"context": ".", "dockerfile": "web/Dockerfile", "args": {"A": 1}},
    }


def test_what_git_ignores_is_data_and_not_code() -> None:
    made = of_services(
        f"{WEB}    volumes: ['./data:/data']\n",
        files={"data/x": ""}, checkouts={".": "github.com/org/mono"}, ignored=("/project/data",),
    )  # fmt: skip
    assert spec(made, "services/web.yml")["volumes"] == ["/persist/data:/data"]


def test_own_names_the_repo_of_a_service() -> None:
    owned = {"web": Owned("github.com/org/web", "/app")}
    made = of_services(f"{WEB}    volumes: ['${{WORK}}/web:/app', 'data:/data']\nvolumes: {{data: }}\n", own=owned)
    assert spec(made, "apps/web.yml") == {
        "repo": "github.com/org/web", "mount": "/app", "image": "web", "compose": {"volumes": ["data:/data"]},
    }  # fmt: skip


def test_own_from_finds_checkouts_by_the_names_of_their_folders() -> None:
    checkouts = {"web": Checkout("/code/web", "github.com/org/web"), "lib": Checkout("/code/lib", "github.com/org/lib")}
    made = of_services(f"{WEB}    volumes: ['${{WORK}}/web/app:/app', '${{WORK}}/lib:/lib2']\n", own_from=checkouts)
    assert spec(made, "apps/web.yml")["mount"] == {"app": "/app"}
    assert spec(made, "apps/web.yml")["depends"] == {"libs": ["lib"]}
    assert spec(made, "libs/lib.yml") == {"repo": "github.com/org/lib", "mount": "/lib2"}


def test_files_are_copied_and_absent_ones_are_kept_on_the_docker_host() -> None:
    made = of_services(f"{WEB}    volumes: ['./x.conf:/x.conf:ro', './gone:/gone']\n", files={"x.conf": "x"})
    assert spec(made, "services/web.yml")["volumes"] == ["./files/x.conf:/x.conf:ro", "/persist/gone:/gone"]
    assert made.files["files/x.conf"] == b"x"


def test_profiles_become_bundles_with_all_that_they_need() -> None:
    made = of_services(
        "services:\n  web: {image: web}\n  db: {image: db, profiles: [data]}\n"
        "  tools: {image: tools, profiles: [debug], depends_on: [db]}\n"
    )
    assert spec(made, "bundles/debug.yml")["services"] == ["db", "tools"]
    assert spec(made, "bundles/project.yml")["services"] == ["web"]


def test_three_alike_share_a_template() -> None:
    one = "  {}: {{image: app, environment: {{MODE: dev, OTHER: value}}, command: run {}, restart: always}}\n"
    made = of_services("services:\n" + "".join(one.format(name, name) for name in ("a", "b", "c")))
    assert spec(made, "services/a.yml") == {"extends": "_app", "command": "run a"}
    assert spec(made, "services/_app.yml")["environment"] == {"MODE": "dev", "OTHER": "value"}


@pytest.mark.parametrize(
    ("keys", "name", "port"),
    [
        ("labels: {traefik.http.routers.x.rule: 'Host(`a.test`)'}, expose: [3000]", "a.test", 3000),
        ("environment: {VIRTUAL_HOST: a.test, VIRTUAL_PORT: 81}", "a.test", 81),
    ],
)
def test_proxy_labels_become_host_forwarding(keys: str, name: str, port: int) -> None:
    made = of_services(f"services: {{web: {{image: web, {keys}}}}}")
    assert spec(made, "services/web.yml")["host_forwarding"] == [
        {"host_name": name, "host_port": 80, "container_port": port}
    ]


def test_the_port_of_the_proxy_is_left_to_dusty() -> None:
    made = of_services(
        "services:\n  traefik: {image: traefik, ports: ['80:80', '8080:8080']}\n"
        "  web: {image: web, labels: {traefik.http.routers.x.rule: 'Host(`a.test`)'}}\n"
    )
    assert spec(made, "services/traefik.yml")["ports"] == ["8080:8080"]


@pytest.mark.parametrize(
    ("keys", "key", "outcome"),
    [
        ("deploy: {replicas: 3}", "deploy", "bent"),
        ("scale: 3", "scale", "bent"),
        ("env_file: gone.env", "env_file", "bent"),
        ("networks: {default: {ipv4_address: 10.0.0.2}}", "networks", "same"),
        ("networks: {other: {ipv4_address: 10.0.0.2}}", "networks", "lost"),
        ("imagex: web", "imagex", "lost"),
        ("restart: always", "restart", "same"),
        ("container_name: x", "container_name", "own way"),
        ("models: [m]", "models", "lost"),
        ("healthcheck: {test: x, intervall: 1s}", "healthcheck", "lost"),
    ],
)
def test_what_is_told_of_a_key(keys: str, key: str, outcome: str) -> None:
    made = of_services(f"services: {{web: {{image: web, {keys}}}}}")
    assert not made.unproven
    assert row(made, f"web.{key}").outcome.value == outcome


def test_a_service_without_an_image_is_lost_as_a_whole() -> None:
    made = of_services("services: {a: {image: a, depends_on: [b]}, b: {provider: {type: x}}}")
    assert not made.unproven
    assert row(made, "b.provider").outcome.value == "lost"
    assert list(yaml.safe_load(text(made, "bundles/project.yml"))["services"]) == ["a"]


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("services: {a: {image: a, volumes: {x: y}}}", "volumes cannot be a mapping"),
        ("services: {a: {image: '${'}}", "not a variable"),
        ("services: {a: {image: a, depends_on: [b]}}", 'no service "b"'),
        ("services: {a: {image: a, extends: {service: a}}}", "extends itself"),
        ("services: [a]", "services must be a mapping"),
        ("services: {}", "there are no services"),
        ("include: [compose.yml]\nservices: {a: {image: a}}", "circle"),
    ],
)
def test_what_compose_would_refuse_is_refused_with_its_place(written: str, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused:
        of_services(written)
    assert refused.value.place.file == "/project/compose.yml"


def test_the_stack_of_these_tests_is_there() -> None:
    assert (EVERYTHING / ".env").exists()


def test_an_external_volume_is_bent_and_the_way_to_its_data_is_told() -> None:
    made = of_services(f"{WEB}    volumes: ['data:/data']\nvolumes: {{data: {{external: true, name: old}}}}\n")
    found = row(made, "volumes.data")
    assert found.outcome.value == "bent" and found.hint == "dusty disk adopt old web takes its data over"


def test_what_dusty_compiled_is_imported_without_what_dusty_adds() -> None:
    made = of_services(
        "services:\n  web:\n    image: web\n    container_name: dusty_web_1\n    labels: {dusty.kind: service, dusty.name: web, mine: x}\n"
        "    volumes: ['/root/host/cp/web:/cp', 'data:/data']\n"
        "  db:\n    image: db\n    labels: {dusty.kind: service}\n    volumes: ['/root/host/cp/db:/cp']\n"
        "  dustyInternalNginx: {image: nginx, labels: {dusty.kind: proxy}, ports: ['80:80']}\nvolumes: {data: }\n"
    )
    assert spec(made, "services/web.yml") == {"image": "web", "labels": {"mine": "x"}, "volumes": ["data:/data"]}
    assert spec(made, "services/db.yml") == {"image": "db"}
    assert {one.outcome.value for one in made.rows} <= {"same", "own way"}
    assert row(made, "dustyInternalNginx.ports").why == "Dusty adds this itself"


@pytest.mark.parametrize(
    ("keys", "key", "value"),
    [
        ("ports: [':443:443', '${BIND:-}:80:80']", "ports", [":443:443", "${{BIND}}:80:80"]),
        ('entrypoint: [sh, "-c", "sed -i s/\\r$$// x"]', "entrypoint", ["sh", "-c", "sed -i s/\r$// x"]),
        ("build: 'https://git.test/org/repo.git#main:sub'", "build", "https://git.test/org/repo.git#main:sub"),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: 0o1777}}]",
            "volumes",
            [{"type": "tmpfs", "target": "/t", "tmpfs": {"mode": "01777"}}],
        ),
        ("label_file: a.labels", "label_file", ["files/a.labels"]),
        ("build: {context: ., labels: {a: null}}", "build", {"context": "..", "labels": {"a": ""}}),
    ],
)
def test_odd_but_legal_values_are_kept(keys: str, key: str, value: object) -> None:
    image = "" if key == "build" else "image: web, "
    made = of_services(f"services: {{web: {{{image}{keys}}}}}", files={"a.labels": "a=b\n"})
    assert spec(made, "services/web.yml")[key] == value
    assert row(made, f"web.{key}").outcome.value in ("same", "own way")


def test_the_empty_profile_is_the_usual_bundle_and_odd_ones_get_a_name() -> None:
    made = of_services(
        "services:\n  a: {image: a, profiles: ['', x/y]}\n  b: {image: b, links: ['a:c'], profiles: ['x-y']}\n  c: {image: c}\n"
    )
    assert spec(made, "bundles/project.yml")["services"] == ["a", "c"]
    assert {path for path in made.files if path.startswith("bundles/")} == {
        "bundles/project.yml", "bundles/x-y.yml", "bundles/x-y-2.yml",
    }  # fmt: skip


def test_a_name_leads_to_the_service_whose_rule_is_about_names_alone() -> None:
    rule = "labels: {{traefik.http.routers.r.rule: '{}'}}"
    api, web = rule.format("Host(`a.test`) && PathPrefix(`/api`)"), rule.format("Host(`a.test`)")
    made = of_services(f"services:\n  api: {{image: x, expose: [1], {api}}}\n  web: {{image: y, expose: [2], {web}}}\n")
    assert "host_forwarding" in spec(made, "services/web.yml") and "host_forwarding" not in spec(
        made, "services/api.yml"
    )
    assert row(made, "api.labels").why.startswith("a.test leads to web")


def test_secrets_and_configs_of_an_app_are_assets_whose_text_is_kept() -> None:
    made = of_services(
        "services:\n  web: {image: web, volumes: ['./web:/srv'], secrets: [key], configs: [motd]}\n"
        "secrets: {key: {file: ./key.txt}}\nconfigs: {motd: {content: hello}}\n",
        files={"web/x": ""},
        checkouts={"web": "github.com/org/web"},
    )
    assert spec(made, "apps/web.yml")["assets"] == [
        {"name": "KEY", "path": "/run/secrets/key"},
        {"name": "MOTD", "path": "/motd"},
    ]
    assert made.files["configs/motd"] == b"hello" and "MOTD specs/configs/motd" in row(made, "web.configs").why
    assert row(made, "secrets.key").why == "it was the file ./key.txt"
