"""Specs that are much alike: what three or more share is written once, in a template that they extend. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

LEAST = 3
"""Specs that share something."""
_OWN = ("mount", "host_forwarding", "assets")
"""Keys that are a spec's own, whatever others have."""
Spec = dict[str, Any]


def with_templates(specs: Mapping[str, Spec], taken: Sequence[str]) -> tuple[dict[str, Spec], dict[str, Spec]]:
    """The specs of one kind, and the templates that some of them extend; merged, they are what they were."""
    groups: dict[str, list[str]] = {}
    for name, spec in specs.items():
        groups.setdefault(json.dumps([spec.get("repo"), spec.get("image"), spec.get("build")]), []).append(name)
    found = dict(specs)
    templates: dict[str, Spec] = {}
    for names in groups.values():
        if len(names) < LEAST:
            continue
        shared = _shared([specs[name] for name in names])
        if len(json.dumps(shared)) < 40 or not shared:
            continue
        template = _name(shared, {*taken, *templates, *specs})
        templates[template] = shared
        for name in names:
            found[name] = {"extends": template, **_without(specs[name], shared)}
    return found, templates


def _shared(specs: Sequence[Spec], *, is_top: bool = True) -> Spec:
    first, *others = specs
    shared: Spec = {}
    for key, value in first.items():
        if (is_top and key in _OWN) or any(key not in other for other in others):
            continue
        values = [other[key] for other in others]
        if all(_same(value, other) for other in values):
            shared[key] = value
        elif isinstance(value, dict) and all(isinstance(other, dict) for other in values):
            below = _shared([value, *values], is_top=False)
            if below:
                shared[key] = below
    return shared


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


def _without(spec: Spec, shared: Spec) -> Spec:
    rest: Spec = {}
    for key, value in spec.items():
        if key not in shared:
            rest[key] = value
        elif not _same(value, shared[key]):
            rest[key] = _without(value, shared[key])
    return rest


def _name(shared: Spec, taken: set[str]) -> str:
    what = shared.get("image") or shared.get("repo") or shared.get("build")
    text = str(what.get("context", "") if isinstance(what, dict) else what or "")
    word = re.sub(r"\$\{\{|\}\}", "", text).rstrip("/").rsplit("/", 1)[-1].partition(":")[0].partition("@")[0]
    base = "_" + (re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") or "common")
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
