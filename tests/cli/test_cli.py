"""Words and options, the pages, and what becomes of what a verb raises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import json_outputs
import pytest

from dusty_tasks import session
from dusty_tasks.cli import endings, help_pages, parsing
from dusty_tasks.cli import verbs as cli
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.operations.machine import preflight
from dusty_tasks.verbs.table import BY_NAME, VERBS

ROOT = Path(__file__).resolve().parent.parent.parent


def dusty(*words: str, home: Path, stdin: int | None = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", *words],
        capture_output=True,
        text=True,
        stdin=stdin,
        check=False,
        env={**os.environ, "DUSTY_HOME": str(home), "NO_COLOR": "1"},
        cwd=ROOT,
    )
    json_outputs.checked(words, ended.stdout)
    return ended


@pytest.mark.parametrize(
    ("verb", "arguments", "words", "options"),
    [
        ("logs", ["-f", "web", "--tail", "5", "api"], ["web", "api"], {"follow": True, "tail": "5"}),
        ("logs", ["web", "-ft"], ["web"], {"follow": True, "timestamps": True}),
        ("logs", ["--", "-f"], ["-f"], {"follow": False}),
        ("logs", ["a=b", ""], ["a=b", ""], {}),
        ("shell", ["web", "sh", "-c", "ls --help"], ["web", "sh", "-c", "ls --help"], {"help": False}),
        ("shell", ["--", "web", "--help"], ["web", "--help"], {"help": False}),
        ("scripts", ["web", "reset", "--hard", "-h"], ["web", "reset", "--hard", "-h"], {"help": False}),
        ("scripts", ["web", "--help"], ["web"], {"help": True}),
        ("test", ["-n", "2", "web", "unit", "-n", "9"], ["web", "unit", "-n", "9"], {"jobs": 2}),
        ("restart", ["--repo", "R1", "R2", "--repo", "R3"], ["R2"], {"repo": ["R1", "R3"]}),
        ("stop", ["--rm"], [], {"rm": True}),
    ],
)
def test_options_stand_anywhere_until_the_words_belong_to_another_program(
    verb: str, arguments: list[str], words: list[str], options: dict[str, object]
) -> None:
    found_words, found = parsing.parse(BY_NAME[verb], arguments)
    assert found_words == words
    assert {name: found[name] for name in options} == options


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("logs", ["--folow"], "did you mean --follow?"),
        ("logs", ["-q"], "option -q not recognized"),
        ("logs", ["--tail"], "requires argument"),
        ("test", ["-n", "two"], '"two" is not a number'),
    ],
)
def test_a_wrong_option_is_named(verb: str, arguments: list[str], said: str) -> None:
    with pytest.raises(parsing.UsageError, match=said.replace("?", r"\?")):
        parsing.parse(BY_NAME[verb], arguments)


@pytest.mark.parametrize(
    ("verb", "exists", "may_write", "joins"),
    [("logs", True, False, 1), ("logs", True, True, 0), ("logs", False, False, 0), ("config", True, False, 0)],
)
def test_a_verb_that_asks_the_engine_takes_on_the_group_that_opens_it(
    verb: str, exists: bool, may_write: bool, joins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[bool] = []
    monkeypatch.setattr(preflight, "join_docker_group", lambda: joined.append(True))
    monkeypatch.setattr(cli.os.path, "exists", lambda path: exists)
    monkeypatch.setattr(cli.os, "access", lambda path, mode: may_write)
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: SimpleNamespace(run=lambda words, **options: 0))
    assert cli.run_verb(BY_NAME[verb], []) == 0
    assert len(joined) == joins


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_every_verb_has_a_page_that_names_every_option(verb: object) -> None:
    page = help_pages.page(verb)  # type: ignore[arg-type]
    assert all(f"--{option.long}" in page for option in verb.options)  # type: ignore[attr-defined]
    assert [line for line in page.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.name != "up"], ids=lambda verb: verb.name)
def test_every_declared_verb_has_its_module(verb: object) -> None:
    import importlib

    assert callable(importlib.import_module(f"dusty_tasks.verbs.{verb.name}").run)  # type: ignore[attr-defined]


def test_the_overview_names_every_verb_within_80_columns() -> None:
    page = help_pages.overview()
    assert all(f"  {verb.name} " in page for verb in VERBS)
    assert max(map(len, page.splitlines())) <= 80


def test_what_a_verb_raises_becomes_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path))

    def raising(error: BaseException) -> int:
        def run() -> None:
            raise error

        return endings.ending(run)

    assert raising(Failure("no app named x", "did you mean y?")) == 1
    assert raising(ToolFailed(["docker", "ps"], 1, "no engine")) == 2
    assert raising(KeyboardInterrupt()) == 130
    assert raising(OSError(28, "No space left on device", "/x")) == 2
    assert raising(NotADirectoryError(20, "Not a directory", "/x")) == 2
    printed = capsys.readouterr().err
    assert "no app named x\n    hint: did you mean y?" in printed
    assert "Traceback" not in printed
    assert raising(RuntimeError("oops")) == 3
    assert list((tmp_path / "state").glob("bug-*.log")) and "Traceback" not in capsys.readouterr().err


def test_a_bug_that_holds_a_whole_text_is_not_said_at_length(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path))
    assert endings.ending(lambda: "\udcc3".join("x" * 5000).encode()) == 3
    assert (
        len(capsys.readouterr().err) < 1000
        and "UnicodeEncodeError" in next((tmp_path / "state").glob("bug-*.log")).read_text()
    )


@pytest.mark.parametrize(
    "verb",
    [
        verb.name
        for verb in VERBS
        if any(option.long == "json" for option in verb.options)
        and verb.name not in ("version", "doctor", "explain", "init", "import", "restart")
    ],
)
def test_a_program_that_reads_json_is_told_what_is_wrong_with_the_settings(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path))
    (tmp_path / "config.yml").write_text("specs_repo: /specs\nrouting: nework\n")
    session.forget()
    words = {"scripts": ["web"], "trace": ["hosts:1"], "why": ["web"]}.get(verb, [])
    assert cli.run_verb(BY_NAME[verb], [*words, "--json"]) == 1
    session.forget()
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {
        "ok": False,
        "problems": [
            {
                "file": "config.yml",
                "line": 2,
                "column": 10,
                "path": "routing",
                "code": "D308",
                "what": '"nework" is not one of published, network',
                "hint": 'did you mean "network"?',
                "warning": False,
            }
        ],
    }
    assert printed.err.count("config.yml:2:10: routing: ") == 1


def test_a_failure_without_a_place_is_json_as_well(tmp_path: Path) -> None:
    ended = dusty("bundles", "--json", home=tmp_path)
    assert ended.returncode == 1 and ended.stderr.startswith("no specs repo is configured\n")
    assert [(problem["file"], problem["what"]) for problem in json.loads(ended.stdout)["problems"]] == [
        ("", "no specs repo is configured")
    ]
    assert dusty("repos", home=tmp_path).stdout == "no repos are known\n"


@pytest.mark.parametrize(
    "words",
    [
        ["repos", "override", "web", ""],
        ["validate", ""],
        ["compile", "--out", ""],
        ["compile", "--out="],
        ["dump", ""],
        ["assets", "set", "KEY", ""],
        ["env", "set", "redis", "--file", ""],
    ],
    ids=" ".join,
)
def test_an_empty_word_does_not_mean_the_current_folder(
    words: list[str], one_service: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "specs/apps").mkdir()
    (tmp_path / "specs/apps/web.yml").write_text("repo: /web\nmount: /web\nimage: busybox\ncommands: {always: []}\n")
    ended = dusty(*words, home=tmp_path)
    assert (ended.returncode, ended.stderr) == (1, "the path is empty\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--jsn"], "option --jsn not recognized (did you mean --json?)\nusage: {doit} plan\n"),
        (["up", "--nopull"], "option --nopull not recognized (did you mean --no-pull?)\nusage: {doit} up [names…]\n"),
        (["run", "compile", "--alll", "up"], "option --alll not recognized"),
        (["logs", "--tail"], "option --tail requires argument"),
    ],
)
def test_plain_doit_names_a_wrong_option_as_dusty_does(
    words: list[str], said: str, one_service: dict[str, str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=ROOT, env=one_service, capture_output=True, text=True, check=False
    )
    assert (
        ended.returncode == 1
        and ended.stderr.startswith(said.format(doit=f"{sys.executable} -m doit"))
        and ended.stderr.count("\n") <= 3
    )


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--all"],
        ["help", "up"],
        ["info", "plan"],
        ["compile", "plan", "--help"],
        ["-v", "1", "compile", "--dry-run"],
    ],
    ids=" ".join,
)
def test_plain_doit_keeps_what_it_does_well(words: list[str], one_service: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=ROOT, env=one_service, capture_output=True, text=True, check=False
    )
    assert "not recognized" not in ended.stderr and ended.stdout


@pytest.mark.parametrize("words", [[], ["help"], ["-h"], ["--help"]], ids=str)
def test_no_verb_and_help_show_the_page(words: list[str], tmp_path: Path) -> None:
    ended = dusty(*words, home=tmp_path)
    assert (ended.returncode, ended.stdout.strip()) == (0, help_pages.overview())


def test_unknown_words_end_with_1_and_a_guess(tmp_path: Path) -> None:
    for words, said in (
        (["lgos"], "did you mean logs?"),
        (["help", "lgos"], "did you mean logs?"),
        (["up", "--nopull"], "did you mean --no-pull?"),
        (["compile", "web"], 'unexpected argument "web"'),
    ):
        ended = dusty(*words, home=tmp_path)
        assert ended.returncode == 1 and said in ended.stderr, words
        assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["info", "complie"], 'no task named "complie"\n    hint: did you mean "compile"?\n'),
        (["list", "--nope"], "option --nope not recognized\n"),
        (["forget", "up:nope"], 'no task named "up:nope"\n'),
        (["compile:nope"], 'no task named "compile:nope"\n'),
        (["compile:hosts", "--nope"], 'no task named "--nope"\n'),
    ],
    ids=" ".join,
)
def test_what_doit_does_not_know_is_said_without_its_innards(words: list[str], said: str, tmp_path: Path) -> None:
    ended = dusty(*words, home=tmp_path)
    assert (
        (ended.returncode, ended.stdout) == (1, "")
        and ended.stderr.startswith(said.format(doit=f"{sys.executable} -m doit"))
        and ended.stderr.count("\n") <= 2
    )


def test_the_own_commands_of_doit_are_there(one_service: dict[str, str], tmp_path: Path) -> None:
    assert "compile:nginx" in dusty("list", "--all", "compile", home=tmp_path).stdout
    assert dusty("compile:hosts", "compile:nginx", home=tmp_path).returncode == 0
    assert (tmp_path / "build/nginx/dustyNginx.conf").exists()
    assert dusty("forget", "compile:nginx", home=tmp_path).stdout == "forgetting compile:nginx\n"


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["bash", "-c", f'mkdir "{tmp_path}/gone"; cd "{tmp_path}/gone"; rmdir "$PWD"; exec "{ROOT}/dusty" plan'],
        env={**os.environ, "DUSTY_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1 and "the folder that this was started in is gone\n    hint: cd " in ended.stderr


@pytest.fixture
def one_service(tmp_path: Path) -> dict[str, str]:
    """The environment of a DUSTY_HOME whose stack is one service."""
    for file, text in {
        "specs/bundles/main.yml": "services: [redis]\n",
        "specs/services/redis.yml": "image: redis:7\n",
        "config.yml": f"specs_repo: {tmp_path}/specs\nbundles: [main]\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return {**os.environ, "DUSTY_HOME": str(tmp_path)}


def test_output_that_cannot_be_written_is_said_once(one_service: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dusty_tasks", "bundles"],
            cwd=ROOT,
            env=one_service,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr.count("No space left"), "Exception" in ended.stderr) == (2, 1, False)


def test_a_step_whose_reader_has_gone_ends_in_silence(one_service: dict[str, str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", "compile"],
        cwd=ROOT,
        env=one_service,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_help_works_with_every_stream_closed(tmp_path: Path) -> None:
    command = f"{sys.executable} -m dusty_tasks help <&- >&- 2>&-; echo $? > {tmp_path}/code"
    subprocess.run(["sh", "-c", command], cwd=ROOT, check=True)
    assert (tmp_path / "code").read_text().strip() == "0"


def test_what_the_locale_cannot_show_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles/é.yml").write_text("")
    ended = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", "validate", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (ended.returncode, ended.stderr) == (1, "") and ended.stdout.startswith(
        "bundles/\\xe9.yml:1:1: empty file [D002]\n"
    )


def test_a_pipe_closed_early_ends_in_silence(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m dusty_tasks help | true; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == "" and ended.stdout.strip() in ("0", "141")


@pytest.mark.parametrize("argv", [["-m", "dusty_tasks", "status"], ["-m", "dusty_tasks", "up"], ["-m", "doit", "list"]])
def test_a_home_that_no_yaml_can_name_is_the_users_to_mend(tmp_path: Path, argv: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *argv],
        env={**os.environ, "DUSTY_HOME": os.fsdecode(os.fsencode(tmp_path) + b"/\xe9")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "which is not valid UTF-8" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["status", "up", "doctor"])
@pytest.mark.parametrize(
    ("kind", "said"), [("file", "which is not a folder"), ("link", "which is a link that does not point to a folder")]
)
def test_a_home_that_is_no_folder_is_the_users_to_mend(tmp_path: Path, verb: str, kind: str, said: str) -> None:
    if kind == "file":
        (tmp_path / "home").write_text("")
    else:
        (tmp_path / "home").symlink_to("nowhere")
    done = subprocess.run(
        [sys.executable, "-m", "dusty_tasks", verb],
        env={**os.environ, "DUSTY_HOME": str(tmp_path / "home")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"DUSTY_HOME is {tmp_path}/home, {said}\n    hint: export DUSTY_HOME=")
