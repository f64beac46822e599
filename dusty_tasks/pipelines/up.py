"""`up`: the doit steps from specs to running containers. Each looks at the one plan; what has nothing to do is up to date.

Order: fetch, compile, read reality and plan; then under the lock what can fail first, the syncs, the hosts
section, and only then containers and the proxy; at the end the receipt.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any, NoReturn

from dusty_tasks import session
from dusty_tasks.console import progress, say, working
from dusty_tasks.core.code.bind_sources import mounts_part_of
from dusty_tasks.core.plan.change import (
    ASSETS,
    AWAIT,
    BUILD,
    CLEAR,
    COMMAND_FILES,
    CREATE,
    HOSTS,
    NGINX,
    PULL,
    RECONNECT,
    RECREATE,
    RELOAD,
    REMOVE,
    RESTART,
    START,
    STARTING,
    STOP,
    SYNC,
    UNPAUSE,
    Change,
    Kind,
    Options,
)
from dusty_tasks.core.plan.container_state import RUNNING, State
from dusty_tasks.core.plan.container_state import STARTING as IS_STARTING
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.alike import Report, merged, sentences, subject
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.code import fetching
from dusty_tasks.operations.launch.receipt import Sums, print_receipt
from dusty_tasks.operations.look import View, look
from dusty_tasks.operations.places import place_finder, read_origins
from dusty_tasks.pipelines.compile import step_names as compiling_steps

if TYPE_CHECKING:
    from dusty_tasks.core.plan.ports_to_open import Address
    from dusty_tasks.operations.machine.consent import Consent, Item

ORPHANS_WAIT = 60
"""Seconds for Compose or rsync of a run that was killed to come to their end."""
SEEN, UNSEEN, REFUSED = "seen", "unseen", "refused"
CONTAINER_KINDS = (CLEAR, REMOVE, STOP, CREATE, RECREATE, RESTART, START, UNPAUSE)


def up_steps(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sub-tasks of `up`, each after the one before it."""
    run = Run(options)
    yield step("first_run", "choose the examples where nothing is configured", run.choose, is_done=run.is_configured)
    yield step("repos", "fetch the managed repos", run.fetch, after="first_run", is_done=lambda: run.fetches_nothing())
    yield step(
        "routing",
        "on a first run: see whether the engine's bridge can be bound here",
        run.choose_routing,
        after="repos",
        is_done=lambda: os.path.exists(session.paths().wanted),
    )
    yield step("plan", "compare what is with what should be", run.make_plan, after="routing", needs=compiling_steps())
    before = "plan"
    for name, doc, action, kinds in (
        ("images", "pull and build what is missing", run.get_images, (PULL, BUILD)),
        ("push", "push command files and assets", run.push, (COMMAND_FILES, ASSETS)),
        ("sync", "sync changed repos", run.sync, (SYNC,)),
        ("containers", "remove, create, recreate, restart, start", run.change_containers, (*CONTAINER_KINDS, NGINX)),
        ("proxy", "push, test and load the proxy's config", run.load_proxy_config, (NGINX, RELOAD, RECONNECT)),
        ("ready", "wait until what was started is ready", run.wait_until_ready, (*STARTING, AWAIT)),
        ("hosts", "write the hosts section", run.write_hosts, (HOSTS,)),
    ):
        yield step(name, doc, action, after=before, is_done=run.has_none_of(kinds))
        before = name
    yield step("receipt", "say what was done", run.print_receipt, after=before)


def step(
    name: str,
    doc: str,
    action: Callable[[], Any],
    *,
    after: str = "",
    needs: Sequence[str] = (),
    is_done: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """One sub-task; `is_done` is asked when its turn comes, and must not raise."""
    return {
        "name": name,
        "doc": doc,
        "actions": [action],
        "task_dep": [*([f"up:{after}"] if after else []), *needs],
        "uptodate": [is_done if is_done else False],
    }


class Run:
    """One `up`: its options, its plan, and what became of it."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.planning = Options(bool(options.get("no_recreate")), bool(options.get("pull")), bool(options.get("build")))
        self.done: list[Change] = []
        self.warnings: list[str] = []
        self.failures: list[Failure] = []
        """What was not done while the rest went on; the highest code is the run's."""
        self.troubled: set[str] = set()
        """Containers that did not become ready."""
        self.seen: dict[str, State] = {}
        """States that this run brought about, for the proxy's pages; all others are those of the plan's look."""
        self.printed: dict[str, str] = {}
        """Last lines of those that failed."""
        self.fetches = 0
        self.sudo_calls = 0
        self.receipts: dict[str, dict[str, Any]] = {}
        self._lock = contextlib.ExitStack()
        self._lock_file: IO[str] | None = None
        self._view: View | None = None
        self._engine: Engine | None = None
        self._launcher: Any = None
        self._consent: Consent | None = None
        self.starts_over = False
        """True if an answer changed what is to be compiled: the same command begins again."""

    @property
    def consent(self) -> Consent:
        """What was agreed to of changes of this machine."""
        if self._consent is None:
            from dusty_tasks.operations.machine.consent import Consent

            self._consent = Consent(yes=bool(self.options.get("yes")))
        return self._consent

    @property
    def view(self) -> View:
        if self._view is None:
            self._view = look(self.engine, self.planning)
        return self._view

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = Engine(session.docker_host())
        return self._engine

    def has_none_of(self, kinds: tuple[Kind, ...]) -> Callable[[], bool]:
        """An `uptodate` callable: True once there is a plan without changes of these kinds."""
        return lambda: self._view is not None and not self._view.plan.of(*kinds)

    def say_done(self, change: Change) -> None:
        self.done.append(change)

    # Before the plan

    def is_configured(self) -> bool:
        from dusty_tasks.operations.machine import first_run

        return first_run.is_configured()

    def choose(self) -> None:
        from dusty_tasks.operations.machine import first_run

        also = first_run.items_of_a_first_run()
        # First, so that the examples become real git repos.
        self.ensure_tools(also)
        self.consent.to(*also)
        first_run.accept_offers(self.consent)
        first_run.choose_examples()

    def choose_routing(self) -> None:
        from dusty_tasks.operations.machine.routing import choose_routing

        choose_routing("up")

    def fetches_nothing(self) -> bool:
        """True where no repo is to be fetched: `--no-pull`, or none is due."""
        try:
            return bool(self.options.get("no_pull")) or not fetching.is_due()
        except Failure:
            return False

    def fetch(self) -> None:
        """Bring the specs repo and the repos of the stack up to date; a failed fetch of a repo that has a clone is a warning."""
        if shutil.which("git") is None:
            self.ensure_tools()
        self.fetches += fetching.fetch_all(is_reset_wanted=bool(self.options.get("reset_repos")))

    # The plan

    def make_plan(self) -> None:
        """Read reality once; with something to do, take the lock, read it again and check what must hold before any change."""
        from dusty_tasks.effects.doors.lock import last_taken
        from dusty_tasks.operations.machine import trust

        trust.require(session.wanted())
        self._check_assets()
        if not self.options.get("no_pull"):
            self.fetches += fetching.fetch_missing()
        seen = last_taken("up", session.home())
        self.begin_reading()
        if self.view.found.unfinished_restore:
            from dusty_tasks.operations.launch.preconditions import refuse_unfinished_restore

            refuse_unfinished_restore(self.view.found.unfinished_restore)
        if not self.view.plan.changes:
            self.note_states()
            return
        from dusty_tasks.operations.launch.preconditions import PortsKept, check_before_changes
        from dusty_tasks.operations.machine.preflight import renew_stand_ins

        # Between the first look and the lock another run may have come and gone.
        is_news = self._lock_file is None and last_taken("up", session.home()) != seen
        self.take_lock()
        if self.view.plan.of(CREATE, RECREATE, BUILD) or shutil.which("rsync") is None:
            self.ensure_tools()
            renew_stand_ins(say, session.docker_host().engine_environment())
            is_news = True
        if is_news:
            self._view = look(self.engine, self.planning)
        if self.view.engine_trouble:
            raise Failure(self.view.engine_trouble, code=2)
        try:
            check_before_changes(self.engine, self.view, adopt=bool(self.options.get("adopt")))
        except PortsKept as kept:
            self._begin_again_without(kept.addresses)
            raise
        if self.view.plan.of(*STARTING):
            from dusty_tasks.operations.launch.mount_links import refuse_links

            refuse_links((container.mapping for container in self.view.wanted.containers), session.docker_host())
        if session.settings().sync_mode == "bind" and self.view.plan.of(*STARTING):
            from dusty_tasks.operations.code.bound_mounts import ensure_mount_points, trees_of_stack

            ensure_mount_points(
                {container.container_name: container.mapping for container in self.view.wanted.containers},
                trees_of_stack(),
                yes=bool(self.options.get("yes")),
            )
        self._ask_for_changes_here()
        self.receipts = self.view.found.receipts

    def _ask_for_changes_here(self) -> None:
        """What this run will do to this machine beside containers, where it was not agreed to yet: one question, before any change."""
        from dusty_tasks.operations.machine import first_run
        from dusty_tasks.operations.machine.hosts import item_of_hosts, needs_password

        hosts, offers = item_of_hosts() if self.view.plan.of(HOSTS) else [], first_run.offers()
        if not offers and (not hosts or needs_password()):
            return  # Where sudo asks for a password anyway, the question comes with that, when all is up.
        self.consent.to(*hosts, *offers)
        first_run.accept_offers(self.consent)

    def begin_reading(self) -> None:
        """The first look; a Docker host that is off is started (under the lock), an engine that is missing is brought, a changed host.daemon applied."""
        if not self.view.engine_trouble and not self._has_other_daemon():
            return
        from dusty_tasks.operations.machine.docker_host import ensure_running

        self.take_lock()
        if self.engine.host.is_local:
            self.ensure_tools()
        ensure_running(self.engine, yes=bool(self.options.get("yes")))
        self._view = self._engine = None

    def _has_other_daemon(self) -> bool:
        """True if host.daemon was changed since it was last put on the Docker host."""
        if session.settings().host.daemon is None:
            return False
        from dusty_tasks.effects.docker_host.vm import is_daemon_in_place

        return not is_daemon_in_place(self.engine.host)

    def take_lock(self) -> None:
        """The one lock for changes, until the end of this run. Raises Failure naming its holder."""
        from dusty_tasks.effects.doors.lock import held

        if self._lock_file is None:
            self._lock_file = self._lock.enter_context(
                held("up", verb="up", home=session.home(), orphans_wait=ORPHANS_WAIT, say=say)
            )

    def note_states(self) -> None:
        """Keep in mind whose work is done, which the engine forgets, and who answers by now: the next run would have to ask again.

        Not worth waiting for.
        """
        from dusty_tasks.effects.doors.lock import Busy

        found, records = (
            self.view.found,
            {
                container.name: self.view.found.started.get(container.container_name) or {}
                for container in self.view.wanted.containers
            },
        )
        finished = [name for name in found.finished if name in records and not records[name].get("finished")]
        ready = [
            name
            for name, record in records.items()
            if record.get("ready") is False and self.view.states[name].name == RUNNING
        ]
        if not finished and not ready:
            return
        try:
            self.take_lock()
        except Busy:
            return
        self.launcher.note_states(finished, ready)

    def ensure_tools(self, also: Sequence[Item] = ()) -> None:
        """What a run with work to do needs on this machine; `also` is agreed to with it. Raises Failure; preflight has said why."""
        from dusty_tasks.operations.machine.preflight import ensure_tools

        code = ensure_tools(
            self.consent, say, home=session.home(), engine_here=session.docker_host().is_local, also=also
        )
        if code:
            raise Failure("up stops here", code=code)

    def _check_assets(self) -> None:
        from dusty_tasks.effects.home.assets import set_keys

        wanted = session.wanted()
        required = {key: use["required_by"] for key, use in wanted.assets.items() if use.get("required_by")}
        missing = sorted(required.keys() - set_keys(session.home())) if required else []
        if missing:
            lines = "".join(f"\n    {key}, required by {', '.join(required[key])}" for key in missing)
            raise Failure(f"required assets are not set:{lines}", f"{DUSTY} assets set <KEY> <path>")

    # What can fail first

    def get_images(self) -> None:
        """Log in where that is needed, pull and build; then plan again, since a tag may mean another image now."""
        from dusty_tasks.operations.launch.images import get_images

        get_images(self.engine, self.view, self.planning, self.say_done, self.consent)
        self._view = look(self.engine, self.planning._replace(pull=False, build=False))

    def push(self) -> None:
        """Command files and assets."""
        from dusty_tasks.operations.launch.pushes import push_assets, push_command_files

        for change in self.view.plan.of(COMMAND_FILES, ASSETS):
            say(str(change))
            (push_command_files if change.kind == COMMAND_FILES else push_assets)(self.engine.host, self.view)
            self.say_done(change)

    def sync(self) -> None:
        """The repos that changed; if one fails, no container is touched."""
        from dusty_tasks.operations.code.sync import SYNCED, failure_of, sync_repos

        changes = {change.name: change for change in self.view.plan.of(SYNC)}
        for change in changes.values():
            say(str(change))
        repos = self.view.wanted.repos
        with working(f"syncing {counted(len(changes), 'repo')}"):
            outcomes = sync_repos(
                [entry for entry in repos if entry.id in changes],
                host=self.engine.host,
                settings=session.settings(),
                say=say,
                verb="up",
                stack_repos=repos,
            )
        for outcome in outcomes:
            if outcome.status == SYNCED:
                self.say_done(changes[outcome.repo_id])
        self.receipts = {
            **self.receipts,
            **{outcome.repo_id: outcome.receipt for outcome in outcomes if outcome.receipt},
        }
        if failure := failure_of(outcomes):
            raise failure
        copies = [self.engine.host.path(COPIES, repo_id) for repo_id in changes]
        if mounts_part_of((container.mapping for container in self.view.wanted.containers), copies):
            from dusty_tasks.operations.look import with_fresh_inodes

            # rsync puts a new file in place of the former one.
            self._view = with_fresh_inodes(self.engine, self.view, self.planning._replace(pull=False, build=False))

    # Containers and proxy

    @property
    def launcher(self) -> Any:
        if self._launcher is None:
            from dusty_tasks.operations.launch.containers import Launcher

            self._launcher = Launcher(
                self.engine,
                session.settings(),
                self.view,
                self.receipts,
                self.done,
                self._lock_file.fileno() if self._lock_file else None,
            )
        return self._launcher

    def change_containers(self) -> None:
        """Make reality what the plan says; what cannot be made is named at the end, the others are up."""
        from dusty_tasks.operations.launch.preconditions import record_owner, remove_strangers

        record_owner(self.engine.host, self.view)
        # Where they cannot be written (a full disk, a folder in the way), nothing is stopped yet.
        self.launcher.write_records()
        if self.options.get("adopt"):
            remove_strangers(self.engine, self.view)
        if self._proxy_is_started() and self._push_nginx() == REFUSED:
            # The proxy that runs goes on with its config; the apps are brought up all the same.
            self._view = self.view._replace(plan=self.view.plan.without(PROXY))
        self._note_page_states(
            {name: State(IS_STARTING, "is being started") for name in self.view.plan.names(*STARTING)}
        )
        with working("changing containers"):
            self.launcher.launch()
        if self.launcher.failures:
            from dusty_tasks.operations.launch.kept_ports import refused_for_nobody

            self._begin_again_without(refused_for_nobody(self.engine, self.launcher.failures))
        self.failures += self._launch_failures()

    def _begin_again_without(self, kept: Sequence[tuple[str, Address]]) -> None:
        """Begin again with other ports for routes, where the engine keeps theirs for nobody; it returns if these cannot be set aside."""
        from dusty_tasks.operations.launch.kept_ports import set_ports_aside

        if set_ports_aside(kept):
            self._begin_again("compiling and comparing again")

    def _begin_again(self, said: str) -> NoReturn:
        from dusty_tasks.effects.doors.process import begin_again

        self._lock.close()
        say(said)
        self.consent.hand_on()
        begin_again()

    def _launch_failures(self) -> Iterator[Failure]:
        """What could not be launched, each with its place in the specs; one cause is said once."""
        place_of = place_finder(lambda: read_origins(session.settings()))
        reports = [
            Report(
                name,
                str(failure),
                (self.launcher.wanted[name].container_name,) if name in self.launcher.wanted else (),
                failure.code,
            )
            for name, failure in self.launcher.failures.items()
        ]
        for each in merged(reports):
            named = "".join(f"\n    {source}" for source in self._sources_in(each.text)) if len(each.names) == 1 else ""
            placed = subject([f"{name} ({place_of(name, ()) or 'Dusty itself'})" for name in each.names])
            yield Failure(f"{placed}: {each.text}{named}", code=each.code)

    @staticmethod
    def _sources_in(printed: str) -> list[Any]:
        """The spec lines behind the keys that Compose complains about."""
        from dusty_tasks.core.artifacts.origins import sources_named_in

        return sources_named_in(printed, read_origins(session.settings()))

    def _proxy_is_started(self) -> bool:
        return any(change.name == PROXY for change in self.view.plan.of(*STARTING))

    def _push_nginx(self) -> str:
        """SEEN by the running proxy (or there is none), UNSEEN, or REFUSED by it: then the former config stays, and the run ends with 3."""
        from dusty_tasks.operations.launch.proxy import ConfigRefused, push_config

        proxy, is_seen = self.view.found.containers.get(PROXY), True
        for change in self.view.plan.of(NGINX):
            say(str(change))
            try:
                is_seen = push_config(
                    self.engine, session.settings(), proxy.id if proxy and proxy.state == "running" else ""
                )
            except ConfigRefused as refused:
                self.failures.append(refused)
                return REFUSED
            self.say_done(change)
        return SEEN if is_seen else UNSEEN

    def load_proxy_config(self) -> None:
        """Its names on the network, for a proxy that was not made anew; for one that goes on running also its config pushed, tested and loaded."""
        if PROXY in self.launcher.failures or not self.view.plan.of(NGINX, RELOAD, RECONNECT):
            return
        from dusty_tasks.operations.launch.proxy import load_config

        for change in self.view.plan.of(RECONNECT):
            self.launcher.reconnect(change)
        if self._proxy_is_started():
            return
        pushed = self._push_nginx()
        for change in self.view.plan.of(RELOAD) if pushed != REFUSED else ():
            say(str(change))
            load_config(self.engine, self.view.found.containers[PROXY].id, is_seen=pushed == SEEN)
            self.launcher.note_loaded(change, is_seen=pushed == SEEN)

    def wait_until_ready(self) -> None:
        """Watch what was started, and what was not ready before; who fails is named with his last lines.

        The run ends with 2 for a container that ended, with 1 for one that runs and does not answer, or is unhealthy.
        """
        from dusty_tasks.operations.launch import ready
        from dusty_tasks.operations.launch.page_states import seen_of

        awaited = self.view.plan.names(AWAIT)
        names = {change.name for change in self.done if change.kind in STARTING} | awaited
        watched = [container for container in self.view.wanted.containers if container.name in names]
        noted = {name: self.view.states[name].what for name in awaited if self.view.states[name].is_trouble}
        settings = session.settings()
        with progress("waiting until ready") as tell:
            outcome = ready.wait_until_ready(
                self.engine, watched, settings.hosts_address, settings.up_wait, tell, noted
            )
        for name in outcome.ready:
            if noted.get(name):
                say(f"{name} is ready")
        self.launcher.note_states(
            {*outcome.finished, *self.view.found.finished},
            outcome.ready,
            {trouble.name: trouble.state.what for trouble in outcome.troubles},
        )
        self.troubled = {trouble.name for trouble in outcome.troubles}
        self.seen, self.printed = seen_of(outcome)

        def code_of(trouble: ready.Trouble) -> int:
            is_ours = trouble.name == PROXY and self._proxy_is_started() and "[emerg]" in str(trouble)
            return 1 if trouble in outcome.silent else 3 if is_ours else 2

        own = {container.name: (container.container_name, *container.http_urls) for container in watched}
        reports = [
            Report(
                trouble.name, trouble.words + self._blamed_deletions(trouble.name), own[trouble.name], code_of(trouble)
            )
            for trouble in outcome.troubles
        ]
        self.failures += [Failure(sentence, code=code) for sentence, code in sentences(reports, " ")]
        self.warnings += outcome.notes

    def _note_page_states(self, seen: dict[str, State]) -> None:
        from dusty_tasks.operations.launch.page_states import note_states

        note_states(self.engine, self.view.wanted, "up", {**self.view.states, **seen}, self.printed)

    def _blamed_deletions(self, name: str) -> str:
        """A line on what syncs deleted since an app was ready that is not now."""
        from dusty_tasks.core.code.replaced import blamed_deletions
        from dusty_tasks.core.plan.started import last_good

        wanted = next(container for container in self.view.wanted.containers if container.name == name)
        record = self.view.found.started.get(wanted.container_name)
        receipts = {repo_id: self.receipts[repo_id] for repo_id in wanted.repo_ids if repo_id in self.receipts}
        said = blamed_deletions(
            bool(record), last_good(record or {}), receipts, shown_names(entry.id for entry in self.view.wanted.repos)
        )
        return f"\n  {said}" if said else ""

    def write_hosts(self) -> None:
        """The hosts section, when all is up; where that is refused the run ends with 1, and where it is skipped with 0."""
        from dusty_tasks.operations.machine.hosts import write_section

        change = self.view.plan.of(HOSTS)[0]
        say(str(change))
        written = write_section(self.consent)
        self.starts_over = written.starts_over
        if written.is_done:
            self.sudo_calls += os.geteuid() != 0
            self.say_done(change)
        elif written.failure:
            self.failures.append(written.failure)

    # The end

    def print_receipt(self) -> None:
        """What was done and why, what stays pending, what failed; one line with the sums. Ends with the run's exit code."""
        if self.view.found.hosts_conflicts:
            from dusty_tasks.effects.hosts.section import CONFLICT_HINT

            self.failures.append(Failure("\n".join(self.view.found.hosts_conflicts), CONFLICT_HINT))
        if self._launcher:
            self._note_page_states(self.seen)
        sums = Sums(len(self.done), self.engine.reads, self.engine.host.round_trips, self.fetches, self.sudo_calls)
        print_receipt(self.view, self.done, self.warnings, self.failures, sums, self.troubled)
        self._lock.close()
        if self.starts_over:
            self._begin_again("the names are others now: compiling and comparing again")
        code = max((failure.code for failure in self.failures), default=0)
        if code:
            raise SystemExit(code)
