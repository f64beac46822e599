"""`dusty shell` and `dusty scripts`: the command in the container, its words untouched, its status ours."""

from __future__ import annotations

import json

import pytest
from chosen import Chosen
from engines import Engine, container, engine, wanted

from dusty_tasks.core.of_verbs.attaching import Size, Streams
from dusty_tasks.core.specs.model import App, Script
from dusty_tasks.core.stack.json_form import stack_json
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.effects.engine import attached, reads
from dusty_tasks.verbs import shell

__all__ = ["engine"]


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """What stdin, stdout and stderr are, and whether we have their terminal: pipes, unless a test says otherwise."""
    kinds = {"stdin_is_terminal": False, "stdout_is_terminal": False, "stderr_is_terminal": False}
    monkeypatch.setattr(attached, "own_streams", lambda: Streams(**kinds, size=Size(31, 117)))
    monkeypatch.setattr(attached.secrets, "token_hex", lambda _bytes: "token")
    return kinds


def test_the_best_shell_there_is(dusty: Chosen, engine: Engine, streams: dict[str, bool]) -> None:
    assert dusty("shell", "web").code == 0
    assert engine.calls == [f"exec --interactive --env DUSTY_CALL=token id-web {' '.join(shell.BEST_SHELL)}"]


def test_a_command_goes_there_verbatim(dusty: Chosen, engine: Engine, streams: dict[str, bool]) -> None:
    engine.script('printf "%s\\n" "$@" > "${0%/*}/words"; exit 9')
    assert dusty("shell", "web", "ls", "-la", "--help", "a b", "", "x=1").code == 9
    assert (engine.folder / "words").read_text().splitlines()[4:] == ["id-web", "ls", "-la", "--help", "a b", "", "x=1"]


@pytest.mark.parametrize(
    "redirected",
    [(), ("stdin",), ("stdout",), ("stderr",), ("stdin", "stderr")],
    ids=lambda names: " ".join(names) or "none",
)
def test_a_terminal_is_given_only_if_no_stream_is_redirected(
    dusty: Chosen, engine: Engine, streams: dict[str, bool], redirected: tuple[str, ...]
) -> None:
    streams.update({name: name.partition("_")[0] not in redirected for name in streams})
    dusty("shell", "web", "top")
    if redirected:
        assert engine.calls == ["exec --interactive --env DUSTY_CALL=token id-web top"]
    else:
        assert engine.calls[0].startswith("exec --interactive --tty --detach-keys") and engine.calls[0].endswith(
            "sh 31 117 top"
        )


def test_in_the_background_the_terminal_is_left_alone(dusty: Chosen, engine: Engine, streams: dict[str, bool]) -> None:
    """Whoever reads from a terminal in the background is stopped."""
    streams.update(dict.fromkeys(streams, True), in_background=True)
    dusty("shell", "web", "top")
    assert engine.calls == ["exec --env DUSTY_CALL=token id-web top"]


def test_a_service_without_a_shell_runs_its_command_all_the_same(
    dusty: Chosen, engine: Engine, streams: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.update(dict.fromkeys(streams, True))
    dusty("shell", "db", "psql")
    assert engine.calls.pop().endswith("sh 31 117 psql")
    monkeypatch.setattr(reads, "has_file", lambda _engine, _id, _path: False)
    dusty("shell", "db", "psql")
    assert engine.calls[-1].endswith("id-db psql")


def test_what_a_reader_who_has_gone_leaves_behind_is_ended(
    dusty: Chosen, engine: Engine, streams: dict[str, bool]
) -> None:
    engine.script("case $* in *--user*) ;; *) kill -PIPE $$ ;; esac")
    assert dusty("shell", "web", "yes").code == 141
    assert engine.calls[1].startswith("exec --user 0 id-web sh -c") and engine.calls[-1].endswith(
        "DUSTY_CALL=token HUP"
    )
    engine.script("exit 137")
    (engine.folder / "calls").unlink()
    assert dusty("shell", "web", "yes").code == 137 and len(engine.calls) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "shell needs the name"),
        (["wbe"], 'did you mean "web"?'),
        (["old"], "old is not running: its container exited with status 3"),
        (["paused"], "is paused"),
        (["made"], "was created and never started"),
        (["again"], "keeps exiting and being restarted"),
    ],
)
def test_what_cannot_be_entered(dusty: Chosen, engine: Engine, words: list[str], said: str) -> None:
    engine.containers += [container("paused", "paused"), container("made", "created"), container("again", "restarting")]
    ended = dusty("shell", *words)
    assert ended.code == 1 and said in ended.err and not engine.calls


@pytest.mark.parametrize(
    ("status", "record", "said"),
    [
        (
            0,
            {"finished": True},
            "its container has finished\n    hint: its work is done, and dusty up leaves it alone; dusty restart web runs it again",
        ),
        (137, {"stopped": True}, "its container was stopped by hand\n    hint: dusty up starts it"),
        (3, {}, "its container exited with status 3\n    hint: dusty logs web shows why, dusty up starts it again"),
    ],
)
def test_the_hint_says_what_up_does(
    dusty: Chosen, engine: Engine, status: int, record: dict[str, bool], said: str
) -> None:
    wanted(dusty.home, "web")
    started = dusty.home / "host/persist/.dusty/started.json"
    started.parent.mkdir(parents=True)
    started.write_text(json.dumps({"dusty_web_1": record}))
    engine.containers = [container("web", "exited", exit_status=status)]
    assert said in dusty("shell", "web").err


SCRIPTS = """
    image: busybox:1
    commands: {always: [httpd -f]}
    scripts:
      - {name: seed, command: [./seed], description: Fill it}
      - {name: clear, command: [./clear]}
    """


@pytest.fixture
def scripted(dusty: Chosen, engine: Engine) -> Chosen:
    dusty.write("apps/web.yml", SCRIPTS)
    return dusty


def pushed(dusty: Chosen, here: str, there: str) -> None:
    for folder, text in (
        (dusty.home / "build/commands/web/scripts", here),
        (dusty.home / "host/command_files/web/scripts", there),
    ):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "seed.sh").write_text(text)


def test_scripts_are_listed_with_their_descriptions(scripted: Chosen) -> None:
    assert scripted("scripts", "web").out.splitlines() == ["script  description", "clear", "seed    Fill it"]
    assert json.loads(scripted("scripts", "web", "--json").out)[1] == {"name": "seed", "description": "Fill it"}
    assert scripted("scripts", "api").out == "no scripts for api\n"


def test_a_script_runs_with_its_arguments_untouched(scripted: Chosen, engine: Engine, streams: dict[str, bool]) -> None:
    pushed(scripted, "same", "same")
    engine.script("exit 4")
    ended = scripted("scripts", "web", "seed", "-n", "a b", "--help")
    assert (ended.code, ended.err) == (4, "")
    assert engine.calls == [
        "exec --interactive --env DUSTY_CALL=token id-web sh /command_files/scripts/seed.sh -n a b --help"
    ]


def test_a_script_told_in_json_prints_to_stderr_and_leaves_one_document(
    scripted: Chosen, engine: Engine, streams: dict[str, bool]
) -> None:
    pushed(scripted, "new", "old")
    engine.script("for i in $(seq 300); do echo $i; done; printf '\\033[31mred\\033[0m\\n'; exit 4")
    ended = scripted("scripts", "--json", "web", "seed", "--json")
    found = json.loads(ended.out)
    assert (ended.code, found["ok"], found["exit_code"], found["app"], found["script"]) == (4, False, 4, "web", "seed")
    assert len(found["printed"]) == 200 and found["printed"][-2:] == ["300", "red"]
    assert found["warnings"] == ["script seed of web has pending changes: run dusty up"]
    assert "\n1\n2\n" in ended.err and "\033[31mred" in ended.err
    assert engine.calls[-1].endswith("id-web sh /command_files/scripts/seed.sh --json")


def test_a_script_told_in_json_reads_our_input_without_a_terminal(
    scripted: Chosen, engine: Engine, streams: dict[str, bool]
) -> None:
    pushed(scripted, "same", "same")
    streams.update(dict.fromkeys(streams, True))
    ended = scripted("scripts", "--json", "web", "seed")
    assert json.loads(ended.out)["ok"] is True and "--tty" not in engine.calls[-1]
    assert engine.calls[-1].startswith("exec --interactive --env")
    unknown = scripted("scripts", "--json", "web", "sede")
    assert unknown.code == 1 and json.loads(unknown.out)["problems"][0]["hint"] == 'did you mean "seed"?'


def test_a_script_that_is_not_the_pushed_one_is_said(scripted: Chosen) -> None:
    pushed(scripted, "new", "old")
    ended = scripted("scripts", "web", "seed")
    assert ended.code == 0 and "pending changes: run dusty up" in ended.err


def test_the_compiled_scripts_do_while_the_specs_are_broken(scripted: Chosen) -> None:
    web = App("web", "apps/web.yml", ("httpd",), scripts=(Script("seed", ("./seed",), "Fill it"),))
    (scripted.home / "build").mkdir()
    (scripted.home / "build/stack.json").write_text(stack_json(Stack(apps={"web": web}), {}))
    scripted.write("apps/api.yml", "{")
    assert "seed" in scripted("scripts", "web").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "scripts needs the name of an app"),
        (["wbe"], 'did you mean "web"?'),
        (["redis"], 'no app named "redis"'),
        (["web", "sede"], 'no script of web named "sede"\n    hint: did you mean "seed"?'),
        (["api", "seed"], "no script of api"),
    ],
)
def test_what_cannot_be_run(scripted: Chosen, engine: Engine, words: list[str], said: str) -> None:
    ended = scripted("scripts", *words)
    assert ended.code == 1 and said in ended.err and not engine.calls


def test_a_stopped_app_runs_no_script(scripted: Chosen, engine: Engine) -> None:
    engine.containers = [container("web", "exited", exit_status=0)]
    ended = scripted("scripts", "web", "seed")
    assert ended.code == 1 and "web is not running" in ended.err


def test_an_app_is_entered_where_its_commands_begin(dusty: Chosen, engine: Engine, streams: dict[str, bool]) -> None:
    wanted(dusty.home, "web")
    path = dusty.home / "state/wanted.json"
    path.write_text(path.read_text().replace('"mapping"', '"code": "/app", "mapping"'))
    dusty("shell", "web", "ls", "a b")
    assert engine.calls[-1].endswith(f"id-web sh -c {shell.IN_FOLDER} sh /app ls a b")
    wanted(dusty.home, "web")
    dusty("shell", "web", "ls")
    assert engine.calls[-1].endswith("id-web ls")
