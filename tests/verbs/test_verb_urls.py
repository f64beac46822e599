"""`dusty urls`: of a compiled stack."""

from __future__ import annotations

import json

from chosen import Chosen

ROUTES = "[{host_name: web.test, host_port: 80, container_port: 1}, {host_name: tcp.test, host_port: 900, container_port: 2, type: stream}]"


def test_it_prints_where_parts_can_be_reached(dusty: Chosen) -> None:
    assert "nothing is compiled yet" in dusty("urls").err
    dusty.write("apps/api.yml", f"image: b\ncommands: {{always: [x]}}\nhost_forwarding: {ROUTES}\n")
    dusty.config.write_text(f"specs_repo: {dusty.specs}\nbundles: ['Bücher & more']\n")
    assert dusty("compile").code == 0
    assert dusty("urls").out == dusty("urls", "api").out == "http://web.test/\ntcp.test:900\n"
    assert json.loads(dusty("urls", "--json").out)[0] == {"name": "api", "url": "http://web.test/"}
    unknown = dusty("urls", "apii")
    assert unknown.code == 1 and 'did you mean "api"?' in unknown.err
