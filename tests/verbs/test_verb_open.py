"""`dusty open`: the first URL, by whatever opens one here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chosen import Chosen
from engines import wanted


def test_it_prints_and_opens_the_first_url(dusty: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted(dusty.home, "web", "plain")
    path = dusty.home / "state/wanted.json"
    path.write_text(
        path.read_text().replace('"mapping"', '"http_urls": ["http://web.test/", "http://b.test/"], "mapping"', 1)
    )
    opener = tmp_path / "programs/xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}{os.pathsep}{os.environ['PATH']}")
    assert dusty("open", "web").out == "http://web.test/\n"
    assert (tmp_path / "opened").read_text() == "http://web.test/\n"
    assert "has no http route" in dusty("open", "plain").err
    assert dusty("open", "nosuch").code == 1
