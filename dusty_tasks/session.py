"""The one place where effects feed core: everything a run needs to know, read at most once a run (effects/doors/once).

More than 300 lines: all that a run reads of settings and specs stands here, each thing as a short function.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import STACK_FILE, Paths
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.doors.once import Once, Session, begun, current, home_folder

if TYPE_CHECKING:
    from dusty_tasks.core.artifacts.rendering import Memos
    from dusty_tasks.core.check.assembled import Assembled
    from dusty_tasks.core.plan.wanted import Wanted
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.core.specs.model import Specs
    from dusty_tasks.core.specs.repo_ids import Repo
    from dusty_tasks.core.specs.variables import Values
    from dusty_tasks.core.stack.model import Stack
    from dusty_tasks.core.stack.ports import PortMemory
    from dusty_tasks.core.text.problems import Problem
    from dusty_tasks.core.worlds.model import World
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.effects.specs.states import SpecFile


__all__ = ["Session", "begun"]


def home() -> str:
    """DUSTY_HOME as an absolute path (default ~/.dusty). Raises Failure for one that no YAML file can name, or that is no folder."""
    found = home_folder()
    if not os.fsencode(found).decode(errors="ignore").encode() == os.fsencode(found):
        raise Failure(
            f"DUSTY_HOME is {found!r}, which is not valid UTF-8: neither YAML nor Compose can name that folder",
            "export DUSTY_HOME=<another folder>",
        )
    if not os.path.isdir(found) and os.path.lexists(found):
        what = "a link that does not point to a folder" if os.path.islink(found) else "not a folder"
        raise Failure(
            f"DUSTY_HOME is {printable(found)}, which is {what}",
            "export DUSTY_HOME=<a folder>, or move what is there away",
        )
    return found


def paths() -> Paths:
    """The places below DUSTY_HOME. Raises Failure as home() does."""
    return Paths(home(), current().base)


def base_home() -> str:
    """The DUSTY_HOME of the base; home() unless that is a world."""
    return paths().base


@Once
def world() -> World | None:
    """The world that this run is about; None for the base. Raises Failure if its file cannot be used."""
    from dusty_tasks.effects.home.worlds import read_world

    return read_world(home()) if current().base else None


@Once
def settings() -> Settings:
    """config.yml with defaults filled in. Raises Failure naming every problem of the file."""
    from dusty_tasks.effects.home.settings import read_settings

    found, problems = read_settings(home())
    refuse_errors(problems)
    return found


def local_specs_root() -> Path | None:
    """The current folder, if it is a specs repo with a dodo.py of its own."""
    folder = Path.cwd()
    return folder if (folder / "dodo.py").is_file() and (folder / "bundles").is_dir() else None


@Once
def specs_root() -> Path:
    """The folder of the specs in use. Raises Failure if none is configured."""
    from dusty_tasks.core.specs.repo_ids import repo_of

    local = local_specs_root()
    if local:
        return local
    chosen = settings()
    if not chosen.specs_repo:
        raise Failure(
            "no specs repo is configured",
            f"{DUSTY} setup --specs-repo <repo>, or "
            + (
                "a config.yml with specs_repo" if chosen.is_configured else f"{DUSTY} up, which takes the example specs"
            ),
        )
    repo = repo_of(chosen.specs_repo)
    return Path(chosen.path_of(repo.id, repo.local_path))


@Once
def spec_files() -> tuple[SpecFile, ...]:
    """Every spec file with its state, never younger than what specs() read; then the user's overrides, unless they are left out."""
    from dusty_tasks.effects.specs.states import override_files, spec_files

    overrides = override_files(paths().overrides) if current().has_overrides else ()
    return (*spec_files(specs_root()), *overrides)


def variable_settings() -> Settings:
    """The settings by which variables get their values: where the folder itself is the specs repo and no bundle is configured, all count as active."""
    from dataclasses import replace

    from dusty_tasks.core.specs.documents import spec_name

    chosen = settings()
    if chosen.bundles or not local_specs_root():
        return chosen
    names = [spec_name(Path(found.path).stem) for found in spec_files() if found.kind == "bundle"]
    return replace(chosen, bundles=tuple(names))


def variables() -> Values:
    """What the variables of the specs stand for in this run."""
    from dusty_tasks.effects.specs.read import read_variables

    chosen = variable_settings()
    return read_variables(spec_files(), chosen.bundles, chosen.vars, chosen.secret_names)


def leave_out_overrides() -> None:
    """Read the specs as they are in their repo, for the rest of this session."""
    current().has_overrides = False
    forget()


@Once
def checked() -> tuple[Specs, list[Problem]]:
    """All specs, and every problem in them."""
    _check_specs_are_cloned()
    # The states are taken before the files are read: an edit between the two is then noticed by the next run.
    return read_whole_specs(specs_root(), paths().documents, spec_files(), variable_settings())


def _check_specs_are_cloned() -> None:
    from dusty_tasks.core.specs.repo_ids import repo_of

    chosen, root = settings(), specs_root()
    if root.is_dir() or not chosen.specs_repo:
        return
    repo = repo_of(chosen.specs_repo)
    if repo.url and not chosen.repo_overrides.get(repo.id):
        raise Failure(
            f"the specs repo {repo.id} is not cloned yet", f"{DUSTY} repos update clones it, {DUSTY} up does so first"
        )


def read_whole_specs(
    root: str | Path,
    cache_path: str | None = None,
    files: Sequence[SpecFile] | None = None,
    chosen: Settings | None = None,
) -> tuple[Specs, list[Problem]]:
    """As read_specs, and an error for each file that specs name and the specs repo lacks."""
    from dusty_tasks.core.specs.variables import without_consequences
    from dusty_tasks.core.text.problems import in_order

    found, problems = read_specs(root, cache_path, files, chosen)
    missing = without_consequences(_missing_files(found, str(root), is_inside=True), problems)
    return found, in_order([*problems, *missing]) if missing else problems


def _missing_files(specs: Specs, root: str, *, is_inside: bool) -> list[Problem]:
    """The files that Compose needs and does not find: of the specs repo, or those of this machine beside it."""
    from dusty_tasks.core.powers.folders import is_within
    from dusty_tasks.core.powers.links import missing_problems, paths_read

    reads = [read for read in paths_read(specs, root) if read.is_required and is_within(read.path, [root]) is is_inside]
    return missing_problems(reads, {read.path for read in reads if os.path.exists(read.path)}, specs, root)


def read_specs(
    root: str | Path,
    cache_path: str | None = None,
    files: Sequence[SpecFile] | None = None,
    chosen: Settings | None = None,
) -> tuple[Specs, list[Problem]]:
    """The specs of the specs repo at `root`, and every problem in them; without `cache_path` nothing is written.

    `files` are its spec files, if they are known already; `chosen` are the settings that say what variables stand for.
    """
    from dusty_tasks.core.check.shell import commands_of, shell_problems
    from dusty_tasks.core.check.specs import check_specs
    from dusty_tasks.core.powers.folders import is_within
    from dusty_tasks.core.powers.links import link_problems, paths_read, trouble_problems
    from dusty_tasks.core.specs.variables import without_consequences
    from dusty_tasks.core.text.problems import in_order
    from dusty_tasks.effects.doors.files import read_trouble, real_paths
    from dusty_tasks.effects.specs.read import read_documents
    from dusty_tasks.effects.specs.shell_syntax import read_refusals

    of_settings = (chosen.bundles, chosen.vars, chosen.secret_names) if chosen else ()
    documents, of_reading = read_documents(root, cache_path, files, *of_settings)
    found, problems = check_specs(documents, of_reading)
    if reads := paths_read(found, str(root)):
        inside = [read for read in reads if is_within(read.path, [str(root)])]
        targets = real_paths([str(root), *(read.path for read in inside)])
        troubles = {read.path: read_trouble(read.path) for read in reads if read.is_file}
        problems = in_order(
            {
                *problems,
                *link_problems(inside, targets, found, targets[str(root)]),
                *trouble_problems(reads, troubles, found),
            }
        )
    if commands := list(commands_of(found)):
        refusals = read_refusals(
            [command.text for command in commands], paths().kept("commands"), is_kept=cache_path is not None
        )
        problems = [*problems, *shell_problems(found, commands, refusals)]
    return found, in_order(without_consequences(problems, of_reading))


def specs() -> Specs:
    """All specs, checked. Raises Failure with the whole report when there is an error."""
    found, problems = checked()
    refuse_errors(problems)
    return found


def active_bundles() -> tuple[str, ...]:
    """The bundles of this run: the configured ones, or all where the folder itself is the specs repo and none is configured."""
    chosen = settings().bundles
    return chosen or (tuple(specs().bundles) if local_specs_root() else ())


@Once
def stack() -> Stack:
    """The stack of the active bundles. Raises Failure as specs() does."""
    from dusty_tasks.core.stack.assemble import assemble
    from dusty_tasks.core.stack.disabled import without

    return assemble(without(specs(), settings().disabled), active_bundles())[0]


@Once
def assembled() -> tuple[Assembled, list[Problem]]:
    """The stack of the active bundles with its ports, and every problem of specs and stack, warnings too."""
    from dataclasses import replace

    from dusty_tasks.core.check.assembled import Assembled, assemble_with_ports, with_unset_variables_refused
    from dusty_tasks.core.stack.model import Stack
    from dusty_tasks.core.text.problems import errors, in_order

    found, problems = checked()
    if errors(problems):
        return Assembled(Stack(), {}, []), problems
    made = assemble_with_ports(found, active_bundles(), settings(), remembered_ports())
    if settings().namespace.world and not errors(made.problems):
        from dusty_tasks.core.worlds.ports import with_free_ports
        from dusty_tasks.effects.machine.free_ports import can_bind

        own, ports = with_free_ports(made.stack, made.ports, can_bind, settings().loopback)
        made = made._replace(stack=own, ports=ports)
    beside = replace(found, apps=made.stack.apps, services=made.stack.services)
    problems = with_unset_variables_refused(problems, found, made.stack)
    return made, in_order([*problems, *made.problems, *_missing_files(beside, str(specs_root()), is_inside=False)])


def remembered_ports() -> PortMemory:
    """The ports that routes had so far: of state/ports.json, else of build/stack.json, else none."""
    from dusty_tasks.core.stack.json_form import ports_from_json

    for path, key in ((paths().ports, None), (paths().artifact(STACK_FILE), "ports")):
        try:
            data = json.loads(read_bytes(path) or b"")
            return ports_from_json(data[key] if key else data)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}


@Once
def compiled_stack() -> Stack:
    """The stack as compile:stack wrote it. Raises Failure if it did not."""
    from dusty_tasks.core.stack.json_form import stack_from_json

    if assembled.is_read():
        return assembled()[0].stack
    try:
        return stack_from_json(read_bytes(paths().artifact(STACK_FILE)) or b"")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure("nothing is compiled yet", f"{DUSTY} compile") from error


def wanted() -> Wanted:
    """What should run, as the last compile wrote it. Raises Failure if nothing was compiled yet."""
    from dusty_tasks.core.plan.wanted import from_json

    path = paths().wanted
    try:
        return from_json(json.loads(read_bytes(path) or b""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure("nothing is compiled yet", f"{DUSTY} up, or {DUSTY} compile") from error


@Once
def docker_host() -> DockerHost:
    """The machine with the engine, as the settings say."""
    from dusty_tasks.effects.docker_host.kinds import docker_host

    return docker_host(settings())


def settings_for(repos: Iterable[Repo]) -> Settings:
    """The settings, and with `sync.mode: bind` what is known of the sources of `repos`: which have no `.git`. A clone of ours always has one."""
    from dataclasses import replace

    from dusty_tasks.effects.code.working_tree import has_git

    chosen = settings()
    if chosen.sync_mode != "bind":
        return chosen
    trees = {
        chosen.path_of(repo.id, repo.local_path)
        for repo in repos
        if repo.local_path or repo.id in chosen.repo_overrides
    }
    return replace(chosen, without_git=tuple(sorted(tree for tree in trees if not has_git(tree))))


def kept_texts() -> Memos:
    """What earlier compiles made of each container, for whoever renders again; of another version of the code, nothing."""
    from dusty_tasks.core.artifacts.rendering import Memos
    from dusty_tasks.effects.doors.memos import code_version, read_memo

    return Memos(*(read_memo(memo_path(name), code_version()) for name in Memos._fields))


def memo_path(name: str) -> str:
    """Where the texts of one kind are kept."""
    return paths().kept("made", name)


def forget() -> None:
    """Drop what was read, after a step that changes settings or specs (a first run, a pull of the specs repo)."""
    current().forget()
