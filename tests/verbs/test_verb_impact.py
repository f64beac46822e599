"""`dusty impact`: two commits of a real git repo of specs, compared; nothing of the repo is touched."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.core.of_verbs.impact import Impact
from dusty_tasks.core.of_verbs.impact_text import MARKER, MOST_CHARACTERS, markdown
from dusty_tasks.core.plan.change import CREATE, Change, Plan
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs import impact

SPECS = {
    "dodo.py": "from dusty_tasks.dodo import *\n",
    "bundles/shop.yml": "apps: [web]\n",
    "bundles/jobs.yml": "services: [redis]\n",
    "apps/web.yml": """\
image: busybox:1
repo: /src/web
mount: /app
depends: {services: [redis]}
host_forwarding: [{host_name: shop.test, host_port: 80, container_port: 8000}]
commands: {always: [exec serve]}
""",
    "services/redis.yml": "image: redis:7\n",
    "services/built.yml": "build: ./built\n",
    "built/Dockerfile": "FROM busybox\n",
}


class Repo:
    """A specs repo; `said` runs the verb in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@x", *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, **texts: str | None) -> None:
        for path, text in texts.items():
            self.put(path, text)

    def put(self, path: str, text: str | None) -> None:
        at = self.folder / path
        if text is None:
            at.unlink()
        else:
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "a commit")

    def said(self, *words: str, **options: bool) -> str:
        session.forget()
        assert impact.run(list(words), **options) == 0
        return self.capsys.readouterr().out

    def found(self, *words: str) -> dict[str, dict[str, object]]:
        """Bundle -> its part of the JSON, without those that are unchanged."""
        said = json.loads(self.said(*words, json=True))
        return {each["bundles"]: each for each in said["bundles"] if each["status"] != "unchanged"}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Repo:
    made = Repo(tmp_path / "specs", capsys)
    made.folder.mkdir()
    for path, text in SPECS.items():
        made.put(path, text)
    made.git("init", "-q")
    made.commit()
    made.git("tag", "base")
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path / "no home"))
    return made


def edit(repo: Repo, path: str, old: str, new: str) -> None:
    text = (repo.folder / path).read_text()
    assert old in text
    repo.put(path, text.replace(old, new))


def kinds(part: dict[str, object]) -> list[tuple[str, str]]:
    return [(change["kind"], change["name"]) for change in part["changes"]]  # type: ignore[attr-defined]


def test_nothing_changed(repo: Repo) -> None:
    repo.put("services/redis.yml", "# a comment\nimage: redis:7\n")
    assert repo.said("base") == "Nothing changes for anyone.\n"


def test_an_image_recreates_with_cause_and_place_and_tells_what_is_pulled(repo: Repo) -> None:
    repo.put("services/redis.yml", "# first\nimage: redis:8\n")
    lines = [line.strip() for line in repo.said("base").splitlines()]
    assert lines.count("recreate redis: image redis:7 -> redis:8, services/redis.yml:2:8") == 2
    assert "pull image redis:8: the base does not use it, services/redis.yml:2:8" in lines
    assert lines[0] == "2 of 2 bundles change."


def test_the_base_is_where_the_branch_left_it(repo: Repo) -> None:
    repo.git("checkout", "-qb", "mine")
    repo.put("services/redis.yml", "image: redis:8\n")
    repo.commit()
    repo.git("checkout", "-q", "base")
    edit(repo, "apps/web.yml", "busybox:1", "busybox:2")
    repo.commit()
    repo.git("tag", "main-now")
    found = repo.found("main-now..mine")
    assert kinds(found["jobs"]) == [("pull image", "redis:8"), ("recreate", "redis")]
    assert ("recreate", "web") not in kinds(found["shop"])


@pytest.mark.parametrize(
    ("change", "bundle", "wanted"),
    [
        (lambda repo: edit(repo, "apps/web.yml", "exec serve", "exec other"), "shop", ("restart", "web")),
        (
            lambda repo: edit(repo, "apps/web.yml", "image: busybox:1", "image: busybox:1\ncompose: {init: false}"),
            "shop",
            ("recreate", "web"),
        ),
        (lambda repo: repo.put("bundles/jobs.yml", "services: [redis, built]\n"), "jobs", ("create", "built")),
        (lambda repo: edit(repo, "apps/web.yml", "/src/web", "/src/other"), "shop", ("sync", "src/other")),
    ],
)
def test_each_kind_of_change(repo: Repo, change: Callable[[Repo], None], bundle: str, wanted: tuple[str, str]) -> None:
    change(repo)
    assert wanted in kinds(repo.found("base")[bundle])


def test_a_variable_has_the_value_that_the_bundle_gives(repo: Repo) -> None:
    repo.put("vars.yml", "TAG: {default: '7'}\n")
    repo.put("services/redis.yml", "image: redis:${{TAG}}\n")
    repo.commit()
    repo.put("bundles/jobs.yml", "services: [redis]\nvars: {TAG: '8'}\n")
    found = repo.found("HEAD")
    assert [*found] == ["jobs", "all together"] or [*found] == ["jobs"], found
    assert kinds(found["jobs"]) == [("pull image", "redis:8"), ("recreate", "redis")]


def test_a_removed_container_has_its_place_in_the_base(repo: Repo) -> None:
    edit(repo, "apps/web.yml", "depends: {services: [redis]}\n", "")
    (gone,) = [change for change in repo.found("base")["shop"]["changes"] if change["kind"] == "remove"]  # type: ignore[attr-defined]
    assert (gone["name"], gone["place"]) == ("redis", "services/redis.yml:1:1")


def test_what_an_image_is_built_from(repo: Repo) -> None:
    repo.put("bundles/jobs.yml", "services: [built]\n")
    repo.commit()
    repo.put("built/Dockerfile", "FROM busybox\nRUN true\n")
    changes = repo.found("HEAD")["jobs"]["changes"]
    assert [change["cause"] for change in changes] == ["./built changed"] * 2  # type: ignore[attr-defined]


def test_permissions_that_git_does_not_know_build_nothing_anew(repo: Repo) -> None:
    repo.put("bundles/jobs.yml", "services: [built]\n")
    repo.commit()
    (repo.folder / "built").chmod(0o750)
    (repo.folder / "built/Dockerfile").chmod(0o640)
    assert repo.found("HEAD") == {}
    (repo.folder / "built/Dockerfile").chmod(0o750)
    assert ("recreate", "built") in kinds(repo.found("HEAD")["jobs"])


def test_names_ports_hosts_file_and_powers(repo: Repo) -> None:
    edit(repo, "apps/web.yml", "shop.test, host_port: 80", "store.test, host_port: 8080")
    edit(repo, "services/redis.yml", "image: redis:7", "image: redis:7\nprivileged: true")
    found = repo.found("base")["shop"]
    assert found["names"] == {"new": ["store.test:8080"], "gone": ["shop.test:80"]}
    assert found["ports"] == {"new": [8080], "gone": [80]}
    assert found["needs_root"] is True
    assert [power["key"] for power in found["powers"]] == ["privileged"]  # type: ignore[attr-defined]
    assert repo.found("base")["jobs"]["needs_root"] is False


def test_ports_of_the_base_are_kept(repo: Repo) -> None:
    """Another app that sorts before `web` takes no port from it: nobody's `web` is made anew for that."""
    text = (repo.folder / "apps/web.yml").read_text()
    repo.put("apps/api.yml", text.replace("shop.test", "api.test"))
    repo.put("bundles/shop.yml", "apps: [api, web]\n")
    assert ("recreate", "web") not in kinds(repo.found("base")["shop"])


def test_a_new_asset_must_be_set(repo: Repo) -> None:
    edit(repo, "apps/web.yml", "mount: /app", "mount: /app\nassets: [{name: CERT, path: /cert}]")
    assert repo.found("base")["shop"]["assets"] == ["CERT"]


def test_settings_that_lead_nowhere(repo: Repo) -> None:
    for path in ("bundles/shop.yml", "apps/web.yml"):
        repo.put(path, None)
    said = json.loads(repo.said("base", json=True))
    assert [(each["setting"], each["place"]) for each in said["settings"]] == [
        ("bundles", "bundles/shop.yml:1:1"),
        ("env.web", "apps/web.yml:1:1"),
        ("overrides/apps/web.yml", "apps/web.yml:1:1"),
        ("repos.overrides", "apps/web.yml:1:1"),
    ]
    assert {each["bundles"]: each["status"] for each in said["bundles"]} == {"shop": "removed", "jobs": "unchanged"}


def test_overrides_of_removed_specs_and_values_of_removed_variables_lead_nowhere(repo: Repo) -> None:
    repo.put("vars.yml", "KEPT: {default: a}\nTAG: {default: '7'}\nKEY: {secret: true}\n")
    repo.commit()
    repo.put("vars.yml", "NEW: {default: a}\nKEPT: {default: b}\n")
    repo.put("services/built.yml", None)
    found = [line.strip() for line in repo.said("HEAD").partition("personal settings\n")[2].splitlines()]
    assert found == [
        "env.built: built is gone: variables set for it have no effect, services/built.yml:1:1",
        "overrides/services/built.yml: services/built.yml is gone: an override of it has no effect, services/built.yml:1:1",
        "vars.KEY: variable KEY is gone: a value set for it has no effect, also in overrides/vars.yml, vars.yml:3:1",
        "vars.TAG: variable TAG is gone: a value set for it has no effect, also in overrides/vars.yml, vars.yml:2:1",
    ]
    repo.put("vars.yml", None)
    assert [each["setting"] for each in json.loads(repo.said("HEAD", json=True))["settings"]] == [
        "env.built",
        "overrides/services/built.yml",
        *("vars.KEPT", "vars.KEY", "vars.TAG"),
    ]


def test_an_override_does_not_follow_a_name_from_apps_to_services(repo: Repo) -> None:
    repo.put("apps/web.yml", None)
    repo.put("bundles/shop.yml", "services: [web]\n")
    repo.put("services/web.yml", "image: busybox:1\n")
    found = [each["setting"] for each in json.loads(repo.said("base", json=True))["settings"]]
    assert found == ["overrides/apps/web.yml", "repos.overrides"]


def test_broken_specs_and_unknown_commits(repo: Repo) -> None:
    with pytest.raises(Failure, match='there is no commit "nowhere" here'):
        repo.said("nowhere")
    with pytest.raises(Failure, match="no remote main branch"):
        repo.said()
    repo.put("services/redis.yml", "imagee: redis\n")
    with pytest.raises(Failure, match=r"services/redis\.yml:1:1"):
        repo.said("base")
    repo.commit()
    repo.put("services/redis.yml", "image: redis:7\n")
    with pytest.raises(Failure, match="the specs of the base are broken"):
        repo.said("HEAD")


def test_a_word_that_git_would_take_for_an_option_is_a_commit(repo: Repo) -> None:
    with pytest.raises(Failure, match='there is no commit "--output=x"'):
        repo.said("--output=x")


def test_specs_in_a_folder_of_a_larger_repo(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo.folder / "specs").mkdir()
    for name in ("dodo.py", "apps", "bundles", "services", "built"):
        (repo.folder / name).rename(repo.folder / "specs" / name)
    repo.commit()
    monkeypatch.chdir(repo.folder / "specs")
    edit(repo, "specs/services/redis.yml", "redis:7", "redis:8")
    assert ("recreate", "redis") in kinds(repo.found("HEAD")["jobs"])


def test_the_repo_is_only_read(repo: Repo) -> None:
    edit(repo, "services/redis.yml", "redis:7", "redis:8")
    repo.git("add", "services/redis.yml")
    edit(repo, "services/redis.yml", "redis:8", "redis:9")
    before = repo.git("status", "--porcelain"), repo.git("diff", "--cached"), repo.git("stash", "list")
    repo.said("base")
    assert before == (repo.git("status", "--porcelain"), repo.git("diff", "--cached"), repo.git("stash", "list"))


def test_markdown_is_bounded_folded_and_holds_no_markup_of_the_specs(repo: Repo) -> None:
    changes = tuple(Change(CREATE, f"app{number}", "```<b>@all</b>" * 5, "apps/x.yml:1:1") for number in range(5000))
    said = markdown([Impact("*<i>@team", "changed", Plan(changes))], [], ["a | note"])
    assert said.startswith(MARKER + "\n") and len(said) <= MOST_CHARACTERS
    assert "lines more" in said and said.count("<details>") == said.count("</details>") == 1
    assert "<i>" not in said and "@team" not in said.partition("<summary>")[0]
    fence = said.partition("</summary>\n\n")[2].partition("text\n")[0]
    assert fence == "````" and said.count(fence) == 2


def test_markdown_is_stable(repo: Repo) -> None:
    edit(repo, "services/redis.yml", "redis:7", "redis:8")
    said = repo.said("base", markdown=True)
    assert said == repo.said("base", markdown=True) and said.startswith(MARKER)
    assert "- **jobs**: 1 container recreated; 1 image to pull" in said
