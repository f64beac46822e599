"""Who may ask the server of `dusty ui` for what, and which command a button stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.cli.parsing import parse
from dusty_tasks.core.of_verbs.ui_requests import ACTIONS, HEADERS, TOKEN_HEADER, command_of, refusal_of
from dusty_tasks.verbs.table import BY_NAME

OWN = {"host": "dusty.localhost:5000"}
ALLOWED = {**OWN, TOKEN_HEADER: "secret"}


def status(method: str, path: str, headers: dict[str, str]) -> int:
    refusal = refusal_of(method, path, headers, 5000, "secret")
    return refusal.status if refusal else 200


@pytest.mark.parametrize("path", ["/", "/app.js", "/api/events"])
@pytest.mark.parametrize(
    "host", ["evil.test:5000", "127.0.0.1:5000", "localhost:5000", "dusty.localhost", "dusty.localhost:5001", ""]
)
def test_another_host_is_refused_whatever_it_asks_for(path: str, host: str) -> None:
    assert status("GET", path, {**ALLOWED, "host": host}) == 421


def test_the_api_wants_the_token_and_pages_do_not() -> None:
    assert status("GET", "/", OWN) == status("GET", "/app.js", OWN) == status("GET", "/api/events", ALLOWED) == 200
    for wrong in ("", "Secret", "secret2", "sécret"):
        assert status("GET", "/api/events", {**OWN, TOKEN_HEADER: wrong}) == 401
        assert status("POST", "/api/run", {**OWN, TOKEN_HEADER: wrong}) == 401
    assert status("POST", "/api/run", {**OWN, "cookie": f"{TOKEN_HEADER}=secret; token=secret"}) == 401


def test_other_pages_and_methods_are_refused() -> None:
    assert status("POST", "/api/run", {**ALLOWED, "origin": "http://dusty.localhost:5000"}) == 200
    for origin in ("http://web.test", "http://dusty.localhost", "null", "https://dusty.localhost:5000"):
        assert status("POST", "/api/run", {**ALLOWED, "origin": origin}) == 403
    for site in ("cross-site", "same-site"):
        assert status("GET", "/api/events", {**ALLOWED, "sec-fetch-site": site}) == 403
    assert status("POST", "/", ALLOWED) == 405
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        assert status(method, "/api/run", ALLOWED) == 405


def test_a_link_may_lead_to_the_page_and_to_nothing_else() -> None:
    link = {**OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert status("GET", "/", link) == 200
    assert status("GET", "/api/plan", {**link, TOKEN_HEADER: "secret"}) == 403
    for other in ({"sec-fetch-dest": "iframe"}, {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}):
        assert status("GET", "/", {**link, **other}) == 403
    assert status("POST", "/api/run", {**link, TOKEN_HEADER: "secret"}) == 403


def test_the_name_on_port_80_is_without_a_port() -> None:
    assert refusal_of("GET", "/", {"host": "dusty.localhost"}, 80, "secret") is None


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_every_button_is_a_command_that_the_parser_takes() -> None:
    assert command_of({"action": "restart", "names": ["web"]}) == ["restart", "web"]
    assert command_of({"action": "script", "names": ["web", "reset"]}) == ["scripts", "web", "reset"]
    for name, action in ACTIONS.items():
        verb, *words = command_of({"action": name, "names": ["web"] * action.least})
        parse(BY_NAME[verb], words)


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.sampled_from([*ACTIONS]),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["action", "names", "x"]), inner),
        max_leaves=8,
    )
)
def test_whatever_is_asked_no_name_is_an_option_and_no_other_verb_runs(asked: object) -> None:
    try:
        verb, *names = command_of(asked)
    except ValueError:
        return
    assert verb in {action.words[0] for action in ACTIONS.values()}
    assert not any(name.startswith("-") or not name.isprintable() for name in names)


@pytest.mark.parametrize("name", ["--adopt", "-v", "", "a\nb", 3, None, ["web"]])
def test_a_name_that_is_none_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        command_of({"action": "up", "names": [name]})
