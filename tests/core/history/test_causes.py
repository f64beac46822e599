"""From inspection, events and last lines to the cause: a row a case, then what must hold of any input."""

import pytest
from history_cases import T, case, details, happened, stack
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.history.cause import CauseKind, Confidence, ended, seconds_text, to_json
from dusty_tasks.core.history.causes import Stack, cause_of, last_end
from dusty_tasks.core.history.events import DIE, KILL, OOM, START, STOP, Event, events_of, in_order, life_before, merged
from dusty_tasks.core.history.inspected import inspected
from dusty_tasks.core.history.start_errors import told_by_error
from dusty_tasks.core.text.namespace import STACK

MIB = 1 << 20
RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
START_ERRORS = {
    f'{RUNC}exec: "/nope": stat /nope: no such file or directory: unknown': (
        "missing-command",
        "it cannot start: its image has no command /nope",
    ),
    f'{RUNC}exec: "serve": executable file not found in $PATH: unknown': (
        "missing-command",
        "it cannot start: its image has no command serve",
    ),
    f'{RUNC}exec: "/etc/passwd": permission denied: unknown': (
        "missing-command",
        "it cannot start: its command /etc/passwd is not executable",
    ),
    f"{RUNC}exec /usr/bin/app: exec format error: unknown": (
        "bad-image",
        "it cannot start: its command was built for another processor architecture (exec format error)",
    ),
    "driver failed programming external connectivity on endpoint web (d414): Bind for 127.0.0.1:8099 failed: port is already allocated": (
        "port-taken",
        "it cannot start: port 8099 at 127.0.0.1 is already in use",
    ),
    "driver failed programming external connectivity on endpoint web (d414): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use": (
        "port-taken",
        "it cannot start: port 80 at 0.0.0.0 is already in use",
    ),
    "Error response from daemon: No such image: nosuch:1": (
        "bad-image",
        "its image cannot be pulled: No such image: nosuch:1",
    ),
    "error while creating mount source path '/x': mkdir /x: no space left on device": (
        "disk-full",
        "it cannot start: the Docker host's disk is full (mkdir /x: no space left on device)",
    ),
    "error gathering device information while adding custom device: no such device": (
        "cannot-start",
        "it cannot start: error gathering device information while adding custom device: no such device",
    ),
}


@pytest.mark.parametrize("error", START_ERRORS)
def test_errors_at_the_start(error):
    told = told_by_error(error)
    assert (told.kind, told.words) == START_ERRORS[error]
    never = details(status="created", code=127, started=0, error=error)
    cause = cause_of("web", stack(case(never)))
    assert (cause.kind, cause.words, cause.confidence) == (*START_ERRORS[error], "certain")
    again = details(status="exited", code=128, finished=T + 60, error=error)
    assert cause_of("web", stack(case(again))).kind == cause.kind
    # Compose prints the same after words of its own, and the record of `up` has its last line.
    noted = cause_of("web", stack(case(never, record={"trouble": f"could not be started: {error}"})))
    assert noted.kind == cause.kind


REDIS_DIED = case(
    details("redis", code=137, oom=True, memory=64 * MIB, finished=T + 59.6),
    name="redis",
    mapping={"mem_limit": "64m"},
)
REDIS_RUNS = case(details("redis", "running"), name="redis")


def killed(signal, at=60, **fields):
    return happened(KILL, at, signal=signal, **fields)


ROWS = {
    "out of memory": (
        case(
            details(code=137, oom=True, memory=64 * MIB, finished=T + 60),
            happened(OOM, 59.9),
            happened(DIE, 60, status=137),
            mapping={"mem_limit": "64m"},
        ),
        "out-of-memory certain 137: out of memory, limit 64 MiB, services/web.yml:mem_limit",
    ),
    "out of memory by the limit of deploy": (
        case(
            details(code=137, oom=True, memory=96 * MIB, finished=T + 60),
            mapping={"deploy": {"resources": {"limits": {"memory": "96M"}}}},
        ),
        "out-of-memory certain 137: out of memory, limit 96 MiB, services/web.yml:deploy.resources.limits.memory",
    ),
    "one of its processes was out of memory": (
        case(details(code=7, oom=True, memory=1536 * MIB, finished=T + 60)),
        "out-of-memory likely 7: out of memory, limit 1.5 GiB; one of its processes was killed for that",
    ),
    "out of memory without a limit": (
        case(details(code=137, oom=True, finished=T + 60)),
        "out-of-memory certain 137: out of memory: it has no limit of its own, so the Docker host had none left, or a limit above it was reached",
    ),
    "docker kill": (
        case(details(code=137, finished=T + 60), killed(9), happened(DIE, 60, status=137)),
        "killed certain 137: killed by `docker kill` (SIGKILL), or by another program through the engine",
    ),
    "docker kill with another signal": (
        case(details(code=130, finished=T + 60), killed(2), happened(DIE, 60, status=130)),
        "killed certain 130: interrupted by `docker kill` (SIGINT), or by another program through the engine",
    ),
    "docker stop": (
        case(details(code=143, finished=T + 60), killed(15), happened(DIE, 60, status=143), happened(STOP, 60.1)),
        "stopped certain 143: stopped by `docker stop`, or another program through the engine",
    ),
    "docker stop seen before the engine said so": (
        case(details(code=143, finished=T + 60), killed(15), happened(DIE, 60, status=143)),
        "killed certain 143: ended by SIGTERM from `docker stop` or `docker kill`",
    ),
    "a stop after another signal": (
        case(
            details(code=143, finished=T + 60),
            killed(1, 20),
            killed(15, 59),
            happened(DIE, 60, status=143),
            happened(STOP, 60.1),
        ),
        "stopped certain 143: stopped by `docker stop`, or another program through the engine",
    ),
    "the stop time": (
        case(details(code=137, finished=T + 60), killed(15, 50), killed(9), happened(DIE, 60, status=137)),
        "stop-time certain 137: stopped by `docker stop`, or another program through the engine; it did not exit within 10 s of SIGTERM, so it was killed",
    ),
    "stopped by Dusty": (
        case(details(code=0, finished=T + 60), killed(15), record={"stopped": True}),
        "stopped certain 0: stopped by `dusty stop`",
    ),
    "killed from elsewhere": (
        case(details(code=137, finished=T + 60), happened(START, 0.1), happened(DIE, 60, status=137)),
        "killed likely 137: killed by SIGKILL that did not come through the engine but from a process in it or on the Docker host, or from the kernel because the Docker host has no memory left",
    ),
    "killed, and nobody noted by whom": (
        case(details(code=137, finished=T + 60)),
        "unknown unknown 137: killed by SIGKILL; its sender was not recorded",
    ),
    "a kill of a life before is none of this one": (
        case(details(code=137, finished=T + 60), killed(9, -30), happened(DIE, -30, status=137)),
        "unknown unknown 137: killed by SIGKILL; its sender was not recorded",
    ),
    "a HUP is no order to end": (
        case(details(code=3, finished=T + 60), killed(1, 20), happened(DIE, 60, status=3)),
        "crashed certain 3: it failed on its own 60 s after its start",
    ),
    "segmentation fault": (
        case(details(code=139, finished=T + 60)),
        "crashed certain 139: it accessed memory that is not its own (segmentation fault) (SIGSEGV)",
    ),
    "crash at start": (
        case(details(code=3, finished=T + 0.3), record={"ready": False}),
        "crashed-at-start certain 3: it failed 0.3 s after its start, before it was ready",
    ),
    "crash after a while, never ready": (
        case(details(code=3, finished=T + 30), record={"ready": False}),
        "crashed-at-start certain 3: it failed 30 s after its start, before it was ready",
    ),
    "crash after ready": (
        case(details(code=3, finished=T + 7200), record={"what": "created"}),
        "crashed certain 3: it failed on its own 2 h after its start",
    ),
    "the end is noted before the start": (
        case(details(code=3, started=T + 0.002, finished=T), record={"ready": False}),
        "crashed-at-start certain 3: it failed 0.0 s after its start, before it was ready",
    ),
    "ended with 0, and a route points to it": (
        case(details(code=0, finished=T + 60), routes=(80,)),
        "crashed certain 0: it exited on its own 60 s after its start, and a route points to it",
    ),
    "finished": (
        case(details(code=0, finished=T + 60)),
        "finished certain 0: its work was done 60 s after its start",
    ),
    "missing command in a script": (
        case(
            details(code=127, finished=T + 0.1),
            record={"ready": False},
            printed="/command_files/start.sh: line 41: nosuch: not found",
        ),
        "missing-command certain 127: nosuch is not in its image, services/web.yml:commands.always",
    ),
    "missing command in bash": (
        case(details(code=127, finished=T + 0.1), printed="bash: line 1: gunicorn: command not found"),
        "missing-command certain 127: gunicorn is not in its image, services/web.yml:commands.always",
    ),
    "missing file of a shell": (
        case(details(code=127, finished=T + 0.1), printed="sh: 0: cannot open run.sh\nsh: can't open 'run.sh'"),
        "missing-command certain 127: run.sh is not in its image, services/web.yml:commands.always",
    ),
    "another processor, noticed by a shell": (
        case(details(code=126, finished=T + 0.1), printed="sh: /app: Exec format error"),
        "bad-image likely 126: its command was built for another processor architecture",
    ),
    "disk full": (
        case(details(code=1, finished=T + 60), printed="dd: error writing '/data/x': No space left on device\nbye"),
        "disk-full likely 1: a disk is full in it: dd: error writing '/data/x': No space left on device",
    ),
    "disk full in node": (
        case(details(code=1, finished=T + 60), printed="Error: ENOSPC: no space left on device, write"),
        "disk-full likely 1: a disk is full in it: Error: ENOSPC: no space left on device, write",
    ),
    "a port taken in a shared network": (
        case(details(code=1, finished=T + 1), printed="Error: listen EADDRINUSE: address already in use :::3000"),
        "port-taken likely 1: a port that it listens on is already in use: Error: listen EADDRINUSE: address already in use :::3000",
    ),
    "unhealthy": (
        case(
            details(status="running", probes=((0, "fine"), (3, "no way\nnot today\n"))),
            mapping={"healthcheck": {"test": ["CMD", "x"]}},
        ),
        "probe-fails certain None: its health check fails, status 3: not today, services/web.yml:healthcheck",
    ),
    "wrong port": (
        case(
            details(status="running"),
            record={"ready": False, "trouble": "does not answer at http://web.test/: nothing listens on 80"},
            verdict="nothing listens on 80; the container listens on 81",
            routes=(80,),
        )._replace(state=case(details(status="running")).state._replace(name="not answering")),
        "wrong-port certain None: nothing listens on 80; the container listens on 81",
    ),
    "no image": (
        case(None, has_image=False, image="nosuch:1"),
        "bad-image certain None: its image nosuch:1 is not on the Docker host, services/web.yml:image",
    ),
    "removed": (
        case(None, happened("destroy", 70), has_image=True),
        "stopped certain None: its container was removed",
    ),
    "nobody knows why there is none": (
        case(None),
        "unknown unknown None: no reason was recorded for it having no container",
    ),
    "runs": (case(details(status="running")), "none certain None: "),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_case_has_its_cause(row):
    found, wanted = ROWS[row]
    cause = cause_of("web", stack(found))
    assert f"{cause.kind} {cause.confidence} {cause.status}: {cause.text}" == wanted


def test_a_dependency_that_died_first():
    web = case(details(code=1, finished=T + 60), needs=("redis",), record={"what": "created"})
    cause = cause_of("web", stack(web, REDIS_DIED))
    assert (cause.kind, cause.confidence, cause.root.kind) == ("dependency", "likely", "out-of-memory")
    assert (
        cause.text
        == "redis exited 0.4 s before, with status 137: out of memory, limit 64 MiB, services/redis.yml:mem_limit"
    )


def test_a_dependency_whose_end_was_noted_a_moment_later():
    redis = case(details("redis", code=9, finished=T + 60.2), name="redis")
    cause = cause_of("web", stack(case(details(code=1, finished=T + 60), needs=("redis",)), redis))
    assert cause.text.startswith("redis exited at the same moment, with status 9: it failed on its own")


def test_a_dependency_that_the_engine_started_again_meanwhile():
    redis = case(
        details("redis", "running", started=T + 61, finished=T + 59.6, restarts=1, policy="always", memory=64 * MIB),
        happened(START, 0, "redis"),
        happened(OOM, 59.5, "redis"),
        happened(DIE, 59.61, "redis", status=137),
        happened(START, 61.01, "redis"),
        name="redis",
        mapping={"mem_limit": "64m"},
    )
    web = case(details(code=1, finished=T + 60), needs=("redis",), record={"what": "created"})
    both = stack(web, redis)
    assert "with status 137: out of memory, limit 64 MiB" in cause_of("web", both).text
    assert cause_of("redis", both).kind == "none"
    assert last_end("redis", both).kind == "out-of-memory"


def test_a_dependency_of_a_dependency():
    redis = case(details("redis", "running"), name="redis", needs=("db",))
    db = case(details("db", code=5, finished=T + 58), name="db")
    web = case(details(code=1, finished=T + 60), needs=("redis",))
    assert "db exited 2.0 s before, with status 5" in cause_of("web", stack(web, redis, db)).text


def test_the_chain_of_ends_is_told():
    redis = case(details("redis", code=1, finished=T + 59), name="redis", needs=("db",))
    db = case(details("db", code=139, finished=T + 58), name="db")
    cause = cause_of("web", stack(case(details(code=1, finished=T + 60), needs=("redis",)), redis, db))
    assert [cause.before[0].name, cause.before[0].cause.before[0].name] == ["redis", "db"]
    assert "SIGSEGV" in cause.root.words


def test_what_died_long_before_is_not_blamed_unless_it_was_down_all_the_time():
    before = case(details("redis", code=1, finished=T + 10), name="redis")
    web = case(details(code=1, finished=T + 3600), needs=("redis",), record={"what": "created"})
    assert cause_of("web", stack(web, before)).kind == "crashed"
    down = case(details("redis", code=1, started=T - 90, finished=T - 80), name="redis")
    assert cause_of("web", stack(web, down)).kind == "dependency"


@pytest.mark.parametrize(
    "redis",
    [
        REDIS_RUNS,
        case(details("redis", code=1, finished=T + 61), name="redis"),
        case(details("redis", code=0, finished=T + 59), name="redis"),
    ],
    ids=["runs", "died after it", "finished its work"],
)
def test_who_is_not_blamed(redis):
    web = case(details(code=1, finished=T + 60), needs=("redis",), record={"what": "created"})
    assert cause_of("web", stack(web, redis)).kind == "crashed"


def test_a_kill_by_hand_is_not_blamed_on_a_dependency():
    web = case(details(code=137, finished=T + 60), killed(9), happened(DIE, 60, status=137), needs=("redis",))
    assert cause_of("web", stack(web, REDIS_DIED)).kind == "killed"


def test_needs_in_a_circle_end():
    web = case(details(code=1, finished=T + 60), needs=("redis",))
    redis = case(details("redis", code=1, finished=T + 59), name="redis", needs=("web",))
    assert cause_of("web", stack(web, redis)).kind == "dependency"


def test_a_restart_loop_with_its_count_and_what_repeats_itself():
    web = case(
        details(status="restarting", code=4, started=T + 59, finished=T + 60, restarts=7, policy="always"),
        mapping={"restart": "always"},
    )
    cause = cause_of("web", stack(web))
    assert cause.kind == "restart-loop"
    assert cause.text == (
        "restarted by the engine 7 times (restart: always); the last time it exited with status 4: "
        "it failed 1.0 s after its start, before it was ready, services/web.yml:restart"
    )


def test_a_policy_that_gave_up():
    web = case(details(code=4, started=T + 59, finished=T + 60, restarts=5, policy="on-failure", most=5))
    cause = cause_of("web", stack(web))
    assert cause.kind == "restart-loop"
    assert cause.text.startswith("the engine restarted it 5 times (restart: on-failure:5) and gave up; it failed")


@pytest.mark.parametrize(("code", "gap"), [(137, 2.2), (0, 12), (143, 3), (255, -1)])
def test_the_engine_was_restarted(code, gap):
    web = case(details(code=code, finished=T + 60), record={"what": "created"}, routes=(80,))
    cause = cause_of("web", stack(web, engine_started=T + 60 + gap))
    assert (cause.kind, cause.words) == ("engine-restarted", "the Docker engine was restarted")


def test_what_died_a_moment_before_the_engine_was_restarted_and_was_heard_of():
    died = happened(DIE, 60, status=137)
    by_hand = case(details(code=137, finished=T + 60), killed(9), died)
    assert cause_of("web", stack(by_hand, engine_started=T + 65)).kind == "killed"
    elsewhere = case(details(code=137, finished=T + 60), died)
    assert cause_of("web", stack(elsewhere, engine_started=T + 65)).kind == "killed"
    stopped = case(details(code=137, finished=T + 60), killed(15, 50), killed(9), died, happened(STOP, 60.1))
    assert cause_of("web", stack(stopped, engine_started=T + 65)).kind == "engine-restarted"


def test_what_ended_by_itself_long_before_the_engine_was_restarted_did_not_end_by_that():
    web = case(details(code=3, finished=T + 60), record={"what": "created"})
    assert cause_of("web", stack(web, engine_started=T + 70)).kind == "crashed"
    killed_before = case(details(code=137, finished=T + 60), killed(9), happened(DIE, 60, status=137))
    assert cause_of("web", stack(killed_before, engine_started=T + 3600)).kind == "killed"


def test_events_of_the_engine():
    raw = {
        "Action": "die",
        "Actor": {"ID": "a" * 64, "Attributes": {"exitCode": "137", "name": "dusty_web_1", "dusty.name": "web"}},
        "timeNano": 1795853834876276871,
    }
    probe = {**raw, "Action": "exec_start: /bin/sh -c true"}
    health = {**raw, "Action": "health_status: unhealthy"}
    once = {**raw, "Actor": {"ID": "b" * 64, "Attributes": {"com.docker.compose.oneoff": "True"}}}
    assert events_of([raw, probe, health, once, {}, {"Action": "die", "Actor": 3}], STACK) == [
        Event(1795853834.876277, "die", "web", "a" * 12, 137),
        Event(1795853834.876277, "health_status", "web", "a" * 12, text="unhealthy"),
    ]


def test_a_life_is_from_its_start_to_its_end():
    events = [happened(what, at) for at, what in enumerate((START, KILL, DIE, START, OOM, DIE, START, KILL))]
    assert [event.at - T for event in life_before(events, 5)] == [3, 4, 5]
    assert [event.at - T for event in life_before(events[1:], 1)] == [1, 2]


MOMENTS = st.floats(T - 100, T + 100)
EVENTS = st.lists(
    st.builds(
        Event,
        MOMENTS,
        st.sampled_from((START, DIE, KILL, STOP, OOM, "health_status", "destroy")),
        st.sampled_from(("web", "redis")),
        st.sampled_from(("a" * 12, "b" * 12, "")),
        st.none() | st.integers(0, 255),
        st.integers(0, 64),
        st.text(max_size=9),
    ),
    max_size=12,
)
DETAILS = st.builds(
    details,
    st.sampled_from(("web",)),
    st.sampled_from(("running", "exited", "created", "restarting", "dead", "paused", "removing", "")),
    st.integers(-1, 300),
    started=st.just(0.0) | MOMENTS,
    finished=st.just(0.0) | MOMENTS,
    restarts=st.integers(0, 9),
    policy=st.sampled_from(("no", "always", "on-failure", "unless-stopped", "")),
    most=st.integers(0, 9),
    memory=st.integers(0, 1 << 40),
    oom=st.booleans(),
    error=st.text(max_size=30) | st.sampled_from(list(START_ERRORS)),
)


@given(
    web=st.none() | DETAILS,
    redis=st.none() | DETAILS,
    events=EVENTS,
    printed=st.text(max_size=80),
    record=st.fixed_dictionaries(
        {}, optional={"ready": st.just(False), "stopped": st.booleans(), "trouble": st.text()}
    ),
    engine=st.just(0.0) | MOMENTS,
)
def test_any_input_has_a_cause_that_says_what_it_is(web, redis, events, printed, record, engine):
    if redis:
        redis["Id"] = "b" * 64
    events = in_order(events)
    cases = [
        case(web, *events, needs=("redis",), record=record, printed=printed),
        case(redis, *events, name="redis", needs=("web",)),
    ]
    for name in ("web", "redis"):
        known: Stack = stack(*cases, engine_started=engine)
        cause = cause_of(name, known)
        assert cause == cause_of(name, known)
        assert cause.kind == CauseKind.NONE or cause.text
        assert (cause.confidence == Confidence.UNKNOWN) >= (cause.kind == CauseKind.UNKNOWN)
        assert to_json(cause)["kind"] == cause.kind and ended(cause)
        last_end(name, known)
        if not any(event.what in (KILL, STOP) for event in events):
            # Nobody is said to have killed it through the engine without a trace of that.
            assert "`docker kill` (" not in cause.text and "`docker stop`, or" not in cause.text


@given(EVENTS, EVENTS)
def test_merging_is_in_order_and_knows_each_event_once(some, others):
    found = merged(some, others, some)
    assert found == merged(found, found) and [event.at for event in found] == sorted(event.at for event in found)
    assert {event.key for event in found} == {event.key for event in [*some, *others]}


@pytest.mark.parametrize(
    "details", [{}, {"State": None, "HostConfig": 3}, {"State": {"StartedAt": "x", "ExitCode": "7"}}]
)
def test_what_the_engine_leaves_out_counts_as_not_set(details):
    assert inspected("web", details).status == 0


def test_spans_of_time():
    assert [seconds_text(s) for s in (-1, 0.04, 0.44, 12, 119, 130, 7300, 200000)] == [
        "0.0 s",
        "0.0 s",
        "0.4 s",
        "12 s",
        "119 s",
        "2 min",
        "2 h",
        "2 days",
    ]
