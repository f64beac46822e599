"""Two commits of the specs compiled side by side, in memory: what `impact` compares. No Docker, no root, no network; nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dusty_tasks import session
from dusty_tasks.core.artifacts.rendering import Files, Memos, Rendering, bytes_of
from dusty_tasks.core.artifacts.table import Whole
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.of_verbs.impact import Declared, Impact, Side, Unfitting, impact_of, unfitting_settings
from dusty_tasks.core.plan.found import UNREADABLE
from dusty_tasks.core.plan.wanted import from_json
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.stack.ports import PortMemory
from dusty_tasks.core.text.memo import Memo
from dusty_tasks.core.text.paths import HOSTS_FILE
from dusty_tasks.core.text.problems import Problem, errors
from dusty_tasks.effects.code.commits import lead_to
from dusty_tasks.effects.doors.failures import refuse_errors
from dusty_tasks.effects.observe.this_machine import read_sources
from dusty_tasks.effects.specs.read import read_declarations
from dusty_tasks.effects.specs.schemas import read_templates
from dusty_tasks.effects.specs.states import spec_files
from dusty_tasks.operations.places import place_finder

TOGETHER = "all together"
NOTHING: tuple[Side | None, PortMemory] = (None, {})
"""The side that has none of the bundles."""
ELSEWHERE = "~/.dusty"
"""Stands for everybody's DUSTY_HOME."""


class Tree(NamedTuple):
    """One commit's specs."""

    root: str
    """The folder that they lie in."""
    specs: Specs


class Surroundings(NamedTuple):
    """What both commits are compiled with, so that what they share is made once."""

    settings: Settings
    memos: Memos
    files: Files
    root: str
    """A link that leads to the specs that are being compiled: one name for both, since names are part of what is compiled."""


class Found(NamedTuple):
    """What the change does, bundle by bundle."""

    impacts: list[Impact]
    settings: list[Unfitting]
    notes: list[str]
    """What could not be told, each a sentence."""


class Broken(Exception):
    """The stack of these bundles cannot be compiled."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def surroundings(folder: str) -> Surroundings:
    """Those of somebody without settings of their own; `folder` is one for the time being."""
    return Surroundings(Settings(home=folder), Memos(_shared(), _shared(), _shared()), {}, f"{folder}/specs")


def _shared() -> Memo:
    """Texts made for one bundle serve the next one."""
    memo = Memo()
    memo.known = memo.used
    return memo


def compare(base: Tree, head: Tree, around: Surroundings) -> Found:
    """What the change from `base` to `head` does to whoever runs the base, for each bundle and for all of them together.

    Raises Failure if a bundle of `head` cannot be compiled.
    """
    names = sorted({*base.specs.bundles, *head.specs.bundles})
    impacts, notes = [], []
    for name in names:
        before, memory = NOTHING
        try:
            before, memory = _side(base, [name], {}, around)
        except Broken:
            notes.append(f"bundle {name} could not be compiled before: all of it counts as new")
        try:
            impacts.append(impact_of(name, before, _side(head, [name], memory, around)[0]))
        except Broken as broken:
            refuse_errors(broken.problems)
    if len(names) > 1:
        try:
            before, memory = _side(base, names, {}, around)
            impacts.append(impact_of(TOGETHER, before, _side(head, names, memory, around)[0])._replace(is_sum=True))
        except Broken:
            notes.append("the bundles cannot all be active at once: there is no total")
    return Found(impacts, unfitting_settings(_declared_in(base), _declared_in(head)), notes)


def _declared_in(tree: Tree) -> Declared:
    return Declared(tree.specs, read_declarations(spec_files(tree.root)))


def _side(tree: Tree, names: Sequence[str], memory: PortMemory, around: Surroundings) -> tuple[Side | None, PortMemory]:
    """The stack of those of the bundles that the tree has, with the ports that it gives out; None if it has none. Raises Broken."""
    known = [name for name in names if name in tree.specs.bundles]
    if not known:
        return NOTHING
    specs = _with_values(tree, known, around.settings)
    made = assemble_with_ports(specs, known, around.settings, memory)
    if errors(made.problems):
        raise Broken(made.problems)
    lead_to(around.root, tree.root)
    rendering = Rendering(Whole(made.stack, around.settings, around.root), read_templates(), around.memos, around.files)
    artifacts = bytes_of(rendering.files)
    wanted = json.loads(rendering.wanted)
    sources = read_sources(around.settings, from_json(wanted), artifacts, {})
    side = Side(
        from_json(_shown(wanted, around)),
        sources._replace(
            environment=_shown(sources.environment, around),
            # What nobody can read here, in repos of apps, is not what changed.
            contexts={name: digest for name, digest in sources.contexts.items() if not digest.startswith(UNREADABLE)},
        ),
        artifacts[HOSTS_FILE],
        frozenset(f"{route.host_name}:{route.host_port}" for route in made.stack.routes),
        place_finder(lambda: json.loads(rendering.origins(specs.places))),
    )
    return side, made.ports


def _with_values(tree: Tree, names: Sequence[str], settings: Settings) -> Specs:
    """The specs with the values of variables that these bundles give. Raises Broken."""
    if not any(bundle.vars for bundle in tree.specs.bundles.values()):
        return tree.specs
    specs, problems = session.read_specs(tree.root, chosen=replace(settings, bundles=tuple(names)))
    if errors(problems):
        raise Broken(problems)
    return specs


def _shown(value: Any, around: Surroundings) -> Any:
    """`value` as people know the folders in it: those of this run are gone when it ends."""
    text = json.dumps(value, ensure_ascii=False)
    for folder, instead in ((around.root, "."), (around.settings.home, ELSEWHERE)):
        text = text.replace(json.dumps(folder, ensure_ascii=False)[1:-1], instead)
    return json.loads(text)
