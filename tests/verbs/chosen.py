"""A specs repo of a few lines and `dusty` in this process: for the verbs that choose (bundles, env, assets, config, setup)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import json_outputs
import pytest

from dusty_tasks import session
from dusty_tasks.cli import verbs as cli
from dusty_tasks.verbs.table import BY_NAME

SPECS = {
    "bundles/shop.yml": "description: All of the shop\napps: [web]\n",
    "bundles/Bücher & more.yml": "apps: [api]\n",
    "apps/web.yml": """
        image: busybox:1
        commands: {always: [httpd -f]}
        depends: {libs: [base], services: [redis]}
        assets:
          - {name: WEB_KEY, path: /etc/key}
          - {name: MAYBE, path: /etc/maybe, required: false}
        """,
    "apps/api.yml": "image: busybox:1\ncommands: {always: [httpd -f]}\n",
    "libs/base.yml": "repo: /src/base\nmount: /base\nassets: [{name: BASE_KEY, path: /etc/base}]\n",
    "services/redis.yml": "image: redis:7\n",
}


class Ended(NamedTuple):
    """How a verb ended."""

    code: int
    out: str
    err: str


class Chosen:
    """DUSTY_HOME with its specs, and `dusty` on it: each call reads everything anew, like a process of its own."""

    def __init__(self, home: Path, specs: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.specs, self.config, self._capsys = home, specs, home / "config.yml", capsys

    def write(self, file: str, text: str) -> None:
        (self.specs / file).parent.mkdir(parents=True, exist_ok=True)
        (self.specs / file).write_text(textwrap.dedent(text))

    def __call__(self, verb_name: str, *words: str, **already: Any) -> Ended:
        session.forget()
        self._capsys.readouterr()
        code = cli.run_verb(BY_NAME[verb_name], words, already)
        out, err = self._capsys.readouterr()
        json_outputs.checked([verb_name, *words], out)
        return Ended(code, out, err)

    def log(self) -> list[str]:
        """What changed, newest first."""
        return [entry["what"] for entry in json.loads(self("config", "log", "--json").out)]


def chosen_home(
    dusty_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Chosen]:
    """What the fixture `dusty` is made of."""
    monkeypatch.chdir(tmp_path)
    dusty_home.mkdir()
    chosen = Chosen(dusty_home, tmp_path / "specs", capsys)
    for file, text in SPECS.items():
        chosen.write(file, text)
    chosen.config.write_text(f"specs_repo: {tmp_path}/specs  # ours\n")
    yield chosen
    session.forget()
