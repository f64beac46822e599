"""start.sh does what docs/specs.md promises of commands, in each shell that images have.

The files are run for real, on this machine: paths that are absolute in a container (/.dusty, /command_files,
/dusty_assets, /var/log) are replaced by ones below a folder of the test, and nothing else is.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.artifacts.commands import AppPart, app_slice, render_suites, script_files, start_file, suite_slice
from dusty_tasks.core.artifacts.traced import Artifact
from dusty_tasks.core.specs.model import App, Asset, Lib, Script, Suite
from dusty_tasks.core.specs.model import Tests as SuiteTests
from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.value import cut
from dusty_tasks.effects.specs.schemas import read_templates

KNOWN = {"sh": ["sh"], "dash": ["dash"], "busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}
_here = {os.path.realpath(path): name for name, words in KNOWN.items() if (path := shutil.which(words[0]))}
SHELLS = {name: KNOWN[name] for name in _here.values()}
"""Those that are here, each once: sh is one of the others, on Debian dash."""
CONTAINER_FOLDERS = re.compile(r"(?<![\w/])/(\.dusty|command_files|dusty_assets|var/log)\b")
REPO = repo_of("/src/x")


@pytest.fixture(params=sorted(SHELLS))
def container(request: pytest.FixtureRequest, tmp_path: Path) -> Container:
    return Container(SHELLS[request.param], tmp_path)


def files_of_suites(target: App, *libs: Lib) -> dict[str, Artifact]:
    return render_suites(suite_slice(target, libs), read_templates())


class Container:
    """A folder that stands for a container's file system; a recreation forgets /.dusty."""

    is_bound = False
    """True where it sees the working trees themselves."""

    def __init__(self, shell: list[str], root: Path) -> None:
        self.shell, self.root, self.folder = shell, root, root / "start here"
        self.folder.mkdir()

    def path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def mount(self, name: str) -> str:
        self.path(f"{name}/x").parent.mkdir(parents=True, exist_ok=True)
        return str(self.root / name)

    def here(self, text: str) -> str:
        return CONTAINER_FOLDERS.sub(lambda found: f"{self.root}/{found[1]}", text)

    def write(self, app: App, libs: Sequence[Lib] = ()) -> Path:
        path = self.path("command_files/start.sh")
        path.write_text(self.here(start_file(app_slice(app, libs, self.is_bound), read_templates()).text))
        return path

    def start(self, app: App, libs: Sequence[Lib] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.shell, str(self.write(app, libs))],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
            timeout=60,
        )

    def lines(self, app: App, libs: Sequence[Lib] = (), **environment: str) -> list[str]:
        ended = self.start(app, libs, **environment)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()

    def recreate(self) -> None:
        shutil.rmtree(self.root / ".dusty")

    def set_digest(self, lib_name: str, digest: str) -> None:
        self.path(f"command_files/libs/{lib_name}").write_text(digest)


def app(always: Sequence[str] = ("echo always",), **keys: Any) -> App:
    return App("web", "apps/web.yml", tuple(always), **keys)


def lib(container: Container, name: str, *install: str, **keys: Any) -> Lib:
    return Lib(name, f"libs/{name}.yml", REPO, container.mount(f"libs/{name}"), tuple(install), **keys)


# --- once ---------------------------------------------------------------------------------------------------------


def test_once_runs_once_in_a_container_and_again_after_a_recreation(container: Container) -> None:
    web = app(once=("echo once",))
    assert container.lines(web) == ["once", "always"]
    assert container.lines(web) == ["always"]
    container.recreate()
    assert container.lines(web) == ["once", "always"]


def test_a_failed_once_ends_the_container_with_its_status_and_is_tried_again(container: Container) -> None:
    web = app(once=("echo before", 'test -e "$ALLOWED" || (exit 42)', "echo after"))
    for _ in range(2):
        failed = container.start(web, ALLOWED="/there-is-no-such-file")
        assert (failed.returncode, failed.stdout) == (42, "before\n")
    assert container.lines(web, ALLOWED="/") == ["before", "after", "always"]
    assert container.lines(web, ALLOWED="/there-is-no-such-file") == ["always"]


def test_stdout_and_stderr_of_once_go_to_the_container_and_to_its_log(container: Container) -> None:
    ended = container.start(app(once=("echo out", "echo err >&2", "no-such-program || true")))
    assert ended.stdout.startswith("out\nerr\n") and "no-such-program" in ended.stdout
    assert (container.root / "var/log/dusty_once_fn.log").read_text() + "always\n" == ended.stdout


def test_all_that_a_failing_once_printed_is_there_before_the_container_ends(container: Container) -> None:
    ended = container.start(app(once=("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i + 1)); done", "exit 3")))
    assert ended.returncode == 3
    assert ended.stdout.splitlines()[-1] == "line 19999"


def test_what_once_exported_and_where_it_ended_holds_on_every_start(container: Container) -> None:
    web = app(
        ['echo "$GREETING|$(pwd)|$HIDDEN"'],
        mount=container.mount("app"),
        once=('export GREETING="it\'s $(echo 2)\nlines"', "HIDDEN=x", "mkdir -p sub", "cd sub"),
    )
    wanted = ["it's 2", f"lines|{container.root}/app/sub|"]
    assert container.lines(web) == wanted
    assert container.lines(web) == wanted


def test_always_starts_at_the_mount_if_the_folder_where_once_ended_is_gone(container: Container) -> None:
    web = app(['pwd; echo "$PWD"'], mount=container.mount("app"), once=("mkdir -p sub", "cd sub"))
    container.lines(web)
    (container.root / "app/sub").rmdir()
    assert container.lines(web) == [f"{container.root}/app"] * 2


def test_once_that_ends_with_exit_0_has_succeeded(container: Container) -> None:
    web = app(once=("echo once", "exit 0", "echo never"))
    assert container.lines(web) == ["once", "always"]
    assert container.lines(web) == ["always"]


def test_a_trap_and_a_changed_option_of_once_stay_its_own(container: Container) -> None:
    web = app(["false", "echo never"], once=("trap 'echo bye' EXIT", "set +e", "false"))
    ended = container.start(web)
    assert (ended.returncode, ended.stdout) == (1, "bye\n")
    assert (container.root / ".dusty/once").exists()


def test_a_background_job_of_once_that_keeps_its_output_open_blocks_nothing(container: Container) -> None:
    web = app(["echo always"], once=("sleep 300 &", "echo $! >$PID_FILE"))
    pid_file = container.path("pid")
    process = subprocess.Popen(
        [*container.shell, str(container.write(web))],
        cwd=container.folder,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PID_FILE": str(pid_file)},
        start_new_session=True,
    )
    try:
        assert process.stdout and process.stdout.readline() == "always\n"
        os.kill(int(pid_file.read_text()), 0)
        assert process.wait(timeout=30) == 0
    finally:
        os.killpg(process.pid, signal.SIGKILL)


def test_a_once_that_was_killed_is_tried_again(container: Container) -> None:
    web = app(once=('test -e "$MARK" || { : >"$MARK"; kill -9 $TOP; sleep 300; }', "echo done"))
    top = f'TOP=$$ exec {" ".join(container.shell)} "$0"'
    killed = subprocess.run(
        ["sh", "-c", top, str(container.write(web))],
        cwd=container.folder,
        start_new_session=True,
        env={**os.environ, "MARK": str(container.path("mark"))},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    assert killed.returncode == -9
    assert not (container.root / ".dusty/once").exists()
    assert container.lines(web, MARK=str(container.path("mark"))) == ["done", "always"]


# --- libs ---------------------------------------------------------------------------------------------------------


def test_a_lib_is_installed_again_only_when_its_code_changed(container: Container) -> None:
    paper = lib(container, "paper", "echo install", "export PAPER=white")
    web = app(['echo "$PAPER"'])
    container.set_digest("paper", "one")
    assert container.lines(web, [paper]) == ["install", "white"]
    assert container.lines(web, [paper]) == ["white"]
    container.set_digest("paper", "two")
    assert container.lines(web, [paper]) == ["install", "white"]


def test_a_lib_without_a_digest_is_installed_at_every_start(container: Container) -> None:
    paper = lib(container, "paper", "echo install")
    assert [container.lines(app(), [paper]) for _ in range(2)] == [["install", "always"]] * 2


def test_a_failed_install_ends_the_container_and_is_tried_again(container: Container) -> None:
    container.set_digest("good", "1")
    container.set_digest("bad", "1")
    allowed = container.path("allowed")
    libs = [lib(container, "good", "echo good"), lib(container, "bad", f"test -e {allowed} || (exit 7)", "echo bad")]
    failed = container.start(app(), libs)
    assert (failed.returncode, failed.stdout) == (7, "good\n")
    allowed.touch()
    assert container.lines(app(), libs) == ["bad", "always"]


def test_an_install_that_ends_with_exit_0_has_succeeded(container: Container) -> None:
    container.set_digest("paper", "one")
    paper = lib(container, "paper", "export PAPER=white", "exit 0", "echo never")
    assert container.lines(app(['echo "$PAPER"']), [paper]) == ["white"]
    assert (container.root / ".dusty/libs/paper").read_text() == "one\n"


def test_libs_are_installed_in_order_each_at_its_own_mount(container: Container) -> None:
    libs = [lib(container, name, "pwd") for name in ("b", "a")]
    mount = container.mount("app")
    assert container.lines(app(["pwd"], mount=mount), libs) == [libs[0].mount, libs[1].mount, mount]


def test_a_skipped_install_changes_nothing_for_what_follows(container: Container) -> None:
    container.set_digest("odd", "1")
    odd = lib(container, "odd", "export SEEN=yes", "HIDDEN=yes", "umask 000", "cd /")
    web = app(['echo "$SEEN$HIDDEN"; umask; pwd'])
    assert container.lines(web, [odd]) == container.lines(web, [odd])


# --- folders, PATH, assets ----------------------------------------------------------------------------------------


def test_the_mount_is_where_commands_start_and_at_the_end_of_path_once(container: Container) -> None:
    mount = container.mount("it is app")
    web = app(['echo "$PATH"; pwd'], mount=mount, once=("true",))
    for _ in range(3):
        path, folder = container.lines(web)
        assert path == f"{os.environ['PATH']}:{mount}" and folder == mount


def test_without_a_mount_commands_start_in_the_folder_of_the_container(container: Container) -> None:
    paper = lib(container, "paper", "cd /", "export A=1")
    assert [container.lines(app(['pwd; echo "$PWD"']), [paper]) for _ in range(2)] == [[str(container.folder)] * 2] * 2


def test_assets_are_there_before_installs_for_their_owner_alone(container: Container) -> None:
    key = container.path("root/.ssh/id_rsa")
    paper = lib(container, "paper", f"cat {key}", assets=(Asset("PAPER_KEY", str(container.path("paper.pem"))),))
    web = app(
        [f"cat {paper.assets[0].path}"], assets=(Asset("GITHUB_KEY", str(key)), Asset("UNSET", "/unset/here", False))
    )
    container.path("dusty_assets/GITHUB_KEY").write_text("secret\n")
    container.path("dusty_assets/PAPER_KEY").write_text("white\n")
    shutil.rmtree(key.parent)
    assert container.lines(web, [paper]) == ["secret", "white"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    container.path("dusty_assets/GITHUB_KEY").write_text("changed\n")
    assert container.lines(web, [paper]) == ["changed", "white"]


def test_an_asset_that_is_gone_is_taken_away_and_what_it_covered_comes_back(container: Container) -> None:
    new, old, volume = (container.path(name) for name in ("new/key", "etc/default.conf", "volume/deep/key"))
    shutil.rmtree(new.parent)
    old.write_text("the image's own\n")
    old.chmod(0o640)
    web = app(
        [f"cat {old} 2>/dev/null; ls {new.parent} {volume.parent} | wc -w"],
        assets=tuple(Asset(key, str(path), False) for key, path in (("NEW", new), ("OLD", old), ("VOL", volume))),
    )
    sent = [container.path(f"dusty_assets/{key}") for key in ("NEW", "OLD", "VOL")]
    for path in sent:
        path.write_text(f"secret {path.name}\n")
    for _ in range(2):
        container.lines(web)
        assert [path.read_text() for path in (new, old, volume)] == ["secret NEW\n", "secret OLD\n", "secret VOL\n"]
    sent[1].write_text("another secret\n")
    assert container.lines(web)[0] == "another secret"
    for path in sent:
        path.unlink()
    container.lines(web)
    assert not new.exists() and not volume.exists()
    assert old.read_text() == "the image's own\n" and stat.S_IMODE(old.stat().st_mode) == 0o640
    assert not [
        path
        for name in (".dusty/assets", "command_files/assets")
        for path in container.path(f"{name}/x").parent.rglob("*")
    ]
    new.write_text("the app's own now")
    container.lines(web)
    assert new.read_text() == "the app's own now"


def test_an_asset_on_a_volume_goes_also_where_the_container_was_made_anew_meanwhile(container: Container) -> None:
    volume, image = container.path("volume/key"), container.path("etc/key")
    image.write_text("the image's own")
    web = app([":"], assets=(Asset("VOL", str(volume), False), Asset("IMAGE", str(image), False)))
    sent = [container.path(f"dusty_assets/{key}") for key in ("VOL", "IMAGE")]
    for path in sent:
        path.write_text(f"secret {path.name}\n")
    container.lines(web)
    container.recreate()
    container.lines(web)
    container.recreate()
    image.write_text("the image's own")
    for path in sent:
        path.unlink()
    container.lines(web)
    assert not volume.exists(), "it outlived the container that put it there, and is what was put there"
    assert image.read_text() == "the image's own", "the new container's own file is not"


@pytest.mark.parametrize("rest", [(), (Asset("OTHER", "/unset/here", False),)])
def test_assets_that_the_specs_drop_go_from_volumes_too(container: Container, rest: tuple[Asset, ...]) -> None:
    kept, edited = container.path("volume/key"), container.path("volume/edited")
    for key in ("KEPT", "EDITED"):
        container.path(f"dusty_assets/{key}").write_text("secret\n")
    container.lines(app([":"], assets=(Asset("KEPT", str(kept)), Asset("EDITED", str(edited)))))
    edited.write_text("the user's own since\n")
    container.recreate()
    container.lines(app([":"], assets=rest))
    assert not kept.exists() and edited.read_text() == "the user's own since\n"
    assert not [*container.path("command_files/assets/x").parent.iterdir()]
    kept.write_text("secret\n")
    container.lines(app([":"], assets=rest))
    assert kept.exists(), "nobody's asset any more"


@pytest.mark.parametrize("is_bound", [False, True])
@pytest.mark.parametrize("drops", [False, True])
def test_a_file_in_a_working_tree_stays_where_an_asset_was_put_into_the_copy_once(
    container: Container, is_bound: bool, drops: bool
) -> None:
    """The same bytes: an asset is set from a file that lies in the source, too."""
    tree = container.mount("code")
    key, stored = container.path("code/conf/key"), container.path("code/data/key")
    assets = (Asset("KEY", str(key)), Asset("STORED", str(stored)))
    web = app([":"], mount=tree, repo=REPO, assets=assets, compose={"volumes": [f"data:{tree}/data"]})
    for name in ("KEY", "STORED"):
        container.path(f"dusty_assets/{name}").write_text("secret\n")
    container.lines(web)
    assert key.exists() and stored.exists()
    container.recreate()
    for name in ("KEY", "STORED"):
        container.path(f"dusty_assets/{name}").unlink()
    container.is_bound = is_bound
    container.lines(replace(web, assets=()) if drops else web)
    assert key.exists() is is_bound and not stored.exists()


def test_an_asset_with_another_path_leaves_the_old_one(container: Container) -> None:
    container.path("dusty_assets/KEY").write_text("secret\n")
    paths = [container.path(name) for name in ("a/key", "b/key")]
    for path in paths:
        container.lines(app([":"], assets=(Asset("KEY", str(path)),)))
    assert [path.exists() for path in paths] == [False, True]


# --- always -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("always", "code", "out"),
    [
        (["echo a", "exit 5"], 5, "a\n"),
        (["echo a", "(exit 6)", "echo b"], 6, "a\n"),
        (["exec sh -c 'exit 7'"], 7, ""),
        ([], 0, ""),
    ],
)
def test_the_status_of_the_container_is_that_of_always(
    container: Container, always: list[str], code: int, out: str
) -> None:
    ended = container.start(app(always))
    assert (ended.returncode, ended.stdout) == (code, out)


def test_command_items_stand_as_they_are_written(container: Container) -> None:
    web = app(
        [
            "cat <<END",
            "  it's $((1 + 1)) \\$HOME",
            "END",
            "if true; then\n  echo yes\nfi\n",
            "# a comment",
            "echo last \\",
        ]
    )
    assert container.lines(web) == ["  it's 2 $HOME", "yes", "last"]


def test_a_here_document_keeps_its_empty_lines_also_over_several_items(container: Container) -> None:
    items = ["cat <<END", "first\n\n", "\n", "last\\\\", "END\n\n"]
    web = app(items, once=tuple(items))
    printed = ["first", "", "", "last\\"]
    assert container.lines(web, [lib(container, "paper", *items)]) == printed * 3


# --- scripts and tests --------------------------------------------------------------------------------------------


def test_a_script_gets_its_arguments_exactly_as_given(container: Container) -> None:
    web = app(mount=container.mount("app"), scripts=(Script("show", ("pwd", "printf '<%s>'\n\n")),))
    ((path, artifact),) = script_files(cut(AppPart, web), read_templates()).items()
    assert path == "scripts/show.sh"
    container.path("show.sh").write_text(artifact.text)
    ended = subprocess.run(
        [*container.shell, str(container.path("show.sh")), "a b", "", "*", "-x", "it's"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == f"{container.root}/app\n<a b><><*><-x><it's>"


@pytest.mark.parametrize(("given", "wanted"), [((), "<-v><two words>"), (("x y",), "<x y>")])
def test_a_suite_has_default_arguments(container: Container, given: tuple[str, ...], wanted: str) -> None:
    suite = Suite("unit", ("printf '<%s>'",), default_args="-v 'two words'")
    web = app(mount=container.mount("app"), tests=SuiteTests(image="x", suites=(suite,)))
    files = files_of_suites(web)
    assert sorted(files) == ["test/setup.sh", "test/unit.sh"]
    container.path("unit.sh").write_text(files["test/unit.sh"].text)
    ended = subprocess.run(
        [*container.shell, str(container.path("unit.sh")), *given], capture_output=True, text=True, check=True
    )
    assert ended.stdout == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("-v 'two words'", "<-v><two words>"),
        ('$WORD "$WORD"', "<a><b><a b>"),
        ("$(echo x y) `echo z`", "<x><y><z>"),
        ("it\\'s \\; a\\ b", "<it's><;><a b>"),
        ("'a;b' \";\"", "<a;b><;>"),
        ("a{1}", "<a{1}>"),
        ("*.nosuch", "<*.nosuch>"),
    ],
)
def test_default_arguments_are_the_words_that_the_shell_makes_of_them(
    container: Container, written: str, wanted: str
) -> None:
    ended = run_suite(container, written)
    assert (ended.stdout, ended.returncode) == (wanted, 0)


@pytest.mark.parametrize("written", [")", "a (", "fi", "`", "$(", "${", "a; fi", "<<END"])
def test_broken_default_arguments_break_at_their_own_run_and_not_the_file(container: Container, written: str) -> None:
    assert run_suite(container, written, "given").stdout == "<given>"


def run_suite(container: Container, default_args: str, *given: str) -> subprocess.CompletedProcess[str]:
    """A suite that prints its arguments."""
    web = app(
        mount=container.mount("app"),
        tests=SuiteTests(image="x", suites=(Suite("unit", ("printf '<%s>'",), default_args=default_args),)),
    )
    container.path("unit.sh").write_text(files_of_suites(web)["test/unit.sh"].text)
    return subprocess.run(
        [*container.shell, str(container.path("unit.sh")), *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WORD": "a b"},
    )


def test_a_test_image_is_made_from_assets_libs_and_once(container: Container) -> None:
    paper = lib(container, "paper", "pwd", "export PAPER=white")
    web = app(mount=container.mount("app"), tests=SuiteTests(image="x", once=("pwd", 'echo "$PAPER ${PATH##*:}"')))
    container.path("setup.sh").write_text(files_of_suites(web, paper)["test/setup.sh"].text)
    ended = subprocess.run(
        [*container.shell, str(container.path("setup.sh"))], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines() == [paper.mount, web.mount, f"white {web.mount}"]


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parent.parent / "cases").glob("*/build/commands/**/*.sh")),
    ids=lambda path: "/".join(path.parts[-5:]),
)
def test_every_golden_command_file_is_good_shell(path: Path) -> None:
    for words in SHELLS.values():
        subprocess.run([*words, "-n", str(path)], check=True)
