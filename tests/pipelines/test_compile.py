"""The compile pipeline through doit: which steps run after which change, and what becomes of what people edit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from doit.reporter import ZeroReporter

from dusty_tasks import session
from dusty_tasks.cli import verbs as cli
from dusty_tasks.core.artifacts.origins import source_at
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.observe.this_machine import read_build
from dusty_tasks.operations.compile import steps as writing
from dusty_tasks.pipelines import compile as steps
from tests.test_rooms import HEAVY, ROOT

WEB = """image: busybox
host_forwarding:
  - {host_name: local.web.test, host_port: 80, container_port: 5000}
commands:
  always: [run-web]
"""
API = "image: busybox\ncommands:\n  once: [setup]\n  always: [run-api]\n"
ALWAYS = {"summary", "compile"}
"""The last step, and the group itself."""


class Room:
    """A specs repo and a DUSTY_HOME."""

    def __init__(self, home: Path, specs: Path) -> None:
        self.home, self.specs, self.build = home, specs, home / "build"
        home.mkdir()
        self.config("bundles: [main]\n")
        for file, text in {"bundles/main.yml": "apps: [api, web]\n", "apps/web.yml": WEB, "apps/api.yml": API}.items():
            self.write(file, text)

    def config(self, text: str) -> None:
        (self.home / "config.yml").write_text(f"specs_repo: {self.specs}\n{text}")

    def write(self, file: str, text: str) -> None:
        path = self.specs / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile(self, *words: str) -> tuple[int, set[str]]:
        """One run in this process: exit code, and the steps whose actions ran."""
        session.forget()
        writing.compiling.forget()
        ran: list[str] = []
        reporter = type("Ran", (ZeroReporter,), {"execute_task": lambda _self, task: ran.append(task.name)})
        config = {
            "backend": "sqlite3",
            "dep_file": str(self.home / "state" / "doit.db"),
            "reporter": reporter,
            "verbosity": 2,
        }
        (self.home / "state").mkdir(exist_ok=True)
        tasks = {"DOIT_CONFIG": config, "task_compile": lambda: (cli.guarded(task) for task in steps.compile_steps())}
        code = DoitMain(ModuleTaskLoader(tasks), config_filenames=()).run(["run", *(words or ("compile",))])
        return code, {name.removeprefix("compile:") for name in ran} - ALWAYS

    def files(self) -> dict[str, bytes]:
        """All that lies in build/, but for Dusty's own records."""
        return {
            str(path.relative_to(self.build)): path.read_bytes()
            for path in sorted(self.build.rglob("*"))
            if path.is_file() and ".written" not in path.parts
        }


@pytest.fixture
def room(dusty_home: Path, tmp_path: Path) -> Iterator[Room]:
    yield Room(dusty_home, tmp_path / "specs")
    session.forget()


@pytest.fixture
def compiled(room: Room) -> Room:
    code, ran = room.compile()
    assert (code, ran) == (0, {"stack", "hosts", "nginx", "compose", "env", "commands", "wanted", "origins"})
    assert room.compile() == (0, set())
    return room


# --- what runs ----------------------------------------------------------------------------------------------------


def test_origins_wait_for_those_that_they_tell_of(room: Room) -> None:
    assert room.compile("compile:origins") == (0, {"stack", "hosts", "nginx", "commands", "origins"})
    assert {"hosts", "nginx/dustyNginx.conf", "commands/web/start.sh", "docker-compose.yml"} <= set(
        json.loads(room.files()["origins.json"])
    )


def test_a_comment_changes_origins_and_nothing_else(compiled: Room) -> None:
    before = compiled.files()
    compiled.write("apps/web.yml", "# a comment\n" + WEB)
    assert compiled.compile() == (0, {"stack", "origins"})
    after = compiled.files()
    assert {path for path in after if after[path] != before[path]} == {"origins.json"}
    source = source_at(json.loads(after["origins.json"]), "hosts", 2)
    assert source and source.place == "apps/web.yml:4:17"
    assert compiled.compile() == (0, set())


def test_a_changed_spec_rewrites_only_what_is_made_of_it(compiled: Room) -> None:
    times = {path: (compiled.build / path).stat().st_mtime_ns for path in compiled.files()}
    compiled.write("apps/api.yml", API.replace("run-api", "run-api --fast"))
    compiled.compile()
    changed = {path for path, time in times.items() if (compiled.build / path).stat().st_mtime_ns != time}
    assert changed == {"stack.json", "commands/api/start.sh"}


def test_other_apps_are_not_even_rendered(compiled: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    from dusty_tasks.core.artifacts.templates import Templates

    rendered = []
    render = Templates.render
    monkeypatch.setattr(
        Templates, "render", lambda self, name, **variables: rendered.append(name) or render(self, name, **variables)
    )
    compiled.write("apps/api.yml", API.replace("run-api", "run-api --fast"))
    compiled.compile()
    assert rendered == ["commands/start.sh"]


def test_a_changed_setting_runs_the_steps_that_it_matters_to(compiled: Room) -> None:
    compiled.config("bundles: [main]\nnginx_image: nginx:2\n")
    assert compiled.compile() == (0, {"compose", "wanted", "origins"})
    compiled.config("bundles: [main]\nnginx_image: nginx:2\nsync: {jobs: 9}\n")
    assert compiled.compile() == (0, set())


def test_the_command_files_of_an_app_that_is_gone_go_too(compiled: Room) -> None:
    compiled.write("bundles/main.yml", "apps: [web]\n")
    compiled.compile()
    assert not (compiled.build / "commands" / "api").exists()
    assert (compiled.build / "commands" / "web" / "start.sh").exists()


def test_an_edit_made_while_compile_runs_is_not_lost(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    read = session.read_specs

    def read_then_edit(*arguments: object) -> object:
        found = read(*arguments)
        room.write("apps/web.yml", WEB.replace("run-web", "edited-meanwhile"))
        return found

    monkeypatch.setattr(session, "read_specs", read_then_edit)
    room.compile()
    assert b"run-web" in (room.build / "commands/web/start.sh").read_bytes()
    monkeypatch.setattr(session, "read_specs", read)
    room.compile()
    assert b"edited-meanwhile" in (room.build / "commands/web/start.sh").read_bytes()


def test_a_step_writes_only_while_no_other_compile_does(compiled: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MAX_WAIT", 0)
    compiled.write("apps/web.yml", WEB.replace("run-web", "serve"))
    before = compiled.files()
    with held("build", verb="compile", home=str(compiled.home)):
        assert compiled.compile()[0] == 1
    assert compiled.files() == before
    assert compiled.compile()[0] == 0
    assert compiled.files() != before


def test_what_another_compile_wrote_after_a_step_is_not_taken_for_its_own(
    compiled: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled.write("apps/web.yml", WEB.replace("run-web", "serve"))
    start = compiled.build / "commands/web/start.sh"

    @contextmanager
    def written_after(*_args: object, **_options: object) -> Iterator[None]:
        yield
        start.write_bytes(start.read_bytes().replace(b"serve", b"run-web"))

    with monkeypatch.context() as patched:
        patched.setattr("dusty_tasks.effects.doors.lock.held", written_after)
        compiled.compile()
    assert "commands" in compiled.compile()[1]
    assert b"serve" in start.read_bytes()


def test_an_edit_that_keeps_size_and_mtime_is_noticed(compiled: Room) -> None:
    path = compiled.specs / "apps/web.yml"
    found = path.stat()
    compiled.write("apps/web.yml", WEB.replace("run-web", "run-xyz"))
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    compiled.compile()
    assert b"run-xyz" in (compiled.build / "commands/web/start.sh").read_bytes()


# --- problems -----------------------------------------------------------------------------------------------------


def test_with_problems_nothing_is_written(compiled: Room, capfd: pytest.CaptureFixture[str]) -> None:
    before = compiled.files()
    compiled.write("apps/web.yml", WEB.replace("local.web.test", "my site"))
    compiled.write("apps/api.yml", API.replace("commands", "comands"))
    code, ran = compiled.compile()
    assert (code, ran) == (1, {"stack"})
    assert compiled.files() == before
    compiled.write("apps/web.yml", WEB)
    compiled.write("apps/api.yml", API)
    assert compiled.compile()[0] == 0


def test_without_an_active_bundle_it_says_so(room: Room) -> None:
    room.config("bundles: []\n")
    assert room.compile()[0] == 1
    assert not room.build.exists()


# --- build/ and state/ --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["hosts", "nginx/dustyNginx.conf", "docker-compose.yml", "commands/web/start.sh"])
def test_an_edited_artifact_is_shown_kept_and_replaced(
    compiled: Room, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = compiled.build / path
    wanted = artifact.read_bytes()
    artifact.write_bytes(wanted + b"# mine\n")
    assert compiled.compile()[0] == 0
    assert artifact.read_bytes() == wanted
    assert artifact.with_name(f"{artifact.name}.orig").read_bytes() == wanted + b"# mine\n"
    said = capsys.readouterr().err
    assert f"{path} was edited by hand: kept as {artifact.name}.orig" in said and "+# mine" in said
    assert compiled.compile() == (0, set())


def test_a_second_edit_does_not_take_the_place_of_the_first(compiled: Room) -> None:
    for text in (b"first", b"second", b"second"):
        (compiled.build / "hosts").write_bytes(text)
        compiled.compile()
    kept = {path.name: path.read_bytes() for path in compiled.build.glob("hosts.*")}
    assert kept == {"hosts.orig": b"first", "hosts.orig2": b"second"}


def test_an_edited_artifact_is_kept_even_if_state_was_lost_and_the_spec_changed(compiled: Room) -> None:
    shutil.rmtree(compiled.home / "state")
    (compiled.build / "commands/web/start.sh").write_bytes(b"mine")
    compiled.write("apps/web.yml", WEB.replace("run-web", "run-new"))
    compiled.compile()
    assert (compiled.build / "commands/web/start.sh.orig").read_bytes() == b"mine"


def test_what_was_kept_of_an_edited_command_file_is_not_pushed(compiled: Room) -> None:
    before = read_build(str(compiled.build))
    (compiled.build / "commands/web/start.sh").write_bytes(b"mine")
    compiled.compile()
    assert (compiled.build / "commands/web/start.sh.orig").exists()
    assert read_build(str(compiled.build)) == before


def test_what_dusty_wrote_itself_is_not_taken_for_an_edit(compiled: Room) -> None:
    compiled.write("apps/web.yml", WEB.replace("run-web", "run-new"))
    shutil.rmtree(compiled.home / "state")
    compiled.compile()
    assert not list(compiled.build.rglob("*.orig*"))


def test_an_edited_file_of_an_app_that_is_gone_is_kept(compiled: Room) -> None:
    (compiled.build / "commands/api/start.sh").write_bytes(b"mine")
    compiled.write("bundles/main.yml", "apps: [web]\n")
    compiled.compile()
    assert [path.name for path in (compiled.build / "commands/api").iterdir()] == ["start.sh.orig"]


@pytest.mark.parametrize("path", ["stack.json", "hosts", "commands/web/start.sh", "commands", "origins.json"])
def test_what_is_missing_in_build_comes_back(compiled: Room, path: str) -> None:
    before = compiled.files()
    target = compiled.build / path
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    assert compiled.compile()[0] == 0
    assert compiled.files() == before


def test_a_recompile_without_state_or_without_build_gives_the_same_bytes(compiled: Room) -> None:
    compiled.write("apps/first.yml", WEB.replace("local.web", "first"))
    compiled.write("bundles/main.yml", "apps: [api, web, first]\n")
    compiled.compile()
    before = compiled.files()
    assert b"172.17.0.1:65001" in before["nginx/dustyNginx.conf"], "the first in order came last and got the next port"
    for lost in ("state", "build"):
        shutil.rmtree(compiled.home / lost)
        assert compiled.compile()[0] == 0
        assert compiled.files() == before


def test_a_record_or_memory_that_is_damaged_costs_nothing_but_time(compiled: Room) -> None:
    before = compiled.files()
    for path in (
        *compiled.build.glob(".written/*"),
        compiled.home / "state/ports.json",
        compiled.home / "state/wanted.json",
        compiled.build / "stack.json",
    ):
        path.write_text("{garbage")
    assert compiled.compile()[0] == 0
    assert compiled.files() | {"stack.json.orig": b""} == before | {"stack.json.orig": b""}


@pytest.mark.parametrize(
    "damage", [lambda left: b"", lambda left: left.replace(b"apps/web", b"apps/wea")], ids=["lost", "changed"]
)
@pytest.mark.parametrize("name", ["commands", "nginx"])
def test_a_record_that_is_damaged_is_made_again_before_origins_need_it(
    compiled: Room, name: str, damage: Callable[[bytes], bytes]
) -> None:
    before = compiled.files()
    record = compiled.build / f".written/{name}.json"
    record.write_bytes(damage(record.read_bytes()))
    compiled.write("apps/api.yml", API + "# a comment\n")
    assert compiled.compile() == (0, {"stack", name, "origins"})
    assert compiled.files() == before


def test_lost_ports_are_remembered_again_at_once(compiled: Room) -> None:
    ports = compiled.home / "state/ports.json"
    before = ports.read_bytes()
    ports.unlink()
    assert compiled.compile() == (0, {"stack"})
    assert ports.read_bytes() == before


def test_a_file_that_was_only_touched_writes_nothing(compiled: Room) -> None:
    os.utime(compiled.build / "hosts")
    os.utime(compiled.specs / "apps/web.yml")
    inodes = {path: (compiled.build / path).stat().st_ino for path in compiled.files()}
    assert compiled.compile()[0] == 0
    assert {path: (compiled.build / path).stat().st_ino for path in compiled.files()} == inodes


# --- cost and purity ----------------------------------------------------------------------------------------------


def test_a_run_with_nothing_to_do_imports_nothing_heavy_and_renders_nothing(compiled: Room) -> None:
    code = (
        "import sys\nfrom dusty_tasks.cli.main import main\ncode = main(['compile'])\n"
        "print(code, *sorted(sys.modules), file=sys.stderr)"
    )
    run = [sys.executable, "-c", code]
    for _ in range(2):
        ended = subprocess.run(
            run,
            cwd=ROOT,
            env={**os.environ, "DUSTY_HOME": str(compiled.home)},
            capture_output=True,
            text=True,
            check=True,
        )
    code_text, *modules = ended.stderr.split()
    assert (code_text, ended.stdout) == ("0", "up to date\n")
    assert not HEAVY & set(modules)
    assert not {
        name for name in modules if name.startswith("dusty_tasks.core.co") or name == "dusty_tasks.core.stack.assemble"
    }


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_the_bytes_do_not_depend_on_the_hash_seed_or_the_order_of_files(
    compiled: Room, tmp_path: Path, seed: str
) -> None:
    specs = tmp_path / "other-order"
    for file in sorted(compiled.specs.rglob("*.yml"), reverse=True):
        target = specs / file.relative_to(compiled.specs)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    (compiled.home / "config.yml").write_text(f"specs_repo: '{specs}'\nbundles: [main]\n")
    out = tmp_path / "out"
    subprocess.run(
        [sys.executable, "-m", "dusty_tasks", "compile", "--out", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "DUSTY_HOME": str(compiled.home), "PYTHONHASHSEED": seed},
    )
    written = {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if ".written" not in path.parts and path.is_file()
    }
    assert written == compiled.files()
