"""What a container waits for, and how long."""

from __future__ import annotations

import json

from dusty_tasks.core.artifacts.rendering import Rendering
from dusty_tasks.core.artifacts.table import Whole
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.plan.conditions import longest_start
from dusty_tasks.core.plan.wanted import from_json
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.home.settings import settings_from
from dusty_tasks.effects.specs.schemas import read_templates
from tests.core.spec_text import checked


def test_only_ready_makes_up_wait_longer() -> None:
    specs, problems = checked(
        {
            "apps/web.yml": "image: x\ncommands: {always: [x]}\nready: {command: x, within: 2m}\n",
            "apps/own.yml": "image: x\ncommands: {always: [x]}\ncompose: {healthcheck: {test: x, start_period: 600s}}\n",
            "bundles/b.yml": "apps: [web, own]\n",
        }
    )
    assert not errors(problems)
    settings, _ = settings_from(b"", "/dusty-home")
    made = assemble_with_ports(specs, ["b"], settings, {})
    rendering = Rendering(Whole(made.stack, settings, "/specs"), read_templates())
    containers = {one.name: one for one in from_json(json.loads(rendering.wanted)).containers}
    assert longest_start([containers["own"]], 60) == 60
    assert longest_start(containers.values(), 60) == 120
