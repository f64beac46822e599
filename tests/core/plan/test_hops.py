"""Which hop of the way to an app is blamed, from what was seen at each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dusty_tasks.core.plan.hops import (
    APP,
    BRIDGE,
    BROKEN,
    LATE,
    NO_ANSWER,
    NO_PROXY,
    PROXY,
    REFUSED,
    SILENT,
    UNREACHABLE,
    Answer,
    answering,
    is_final,
    judge,
)
from dusty_tasks.core.settings.model import Settings

PUBLISHED = Settings(home="/h")
NETWORK = replace(PUBLISHED, routing="network")
CLOSED = "nothing listens on 8000"
RULE = "sudo iptables -I INPUT -s 172.18.0.0/16 -d 172.17.0.1 -p tcp --dport 65000:65535 -j ACCEPT"


@pytest.mark.parametrize(
    ("saw", "closed", "settings", "hop", "what", "mend"),
    [
        (NO_PROXY, None, PUBLISHED, PROXY, "nothing accepts connections where the proxy should", "dusty up"),
        (REFUSED, CLOSED, PUBLISHED, APP, CLOSED, ""),
        (SILENT, CLOSED, PUBLISHED, APP, CLOSED, ""),
        (UNREACHABLE, CLOSED, PUBLISHED, APP, CLOSED, ""),
        (
            UNREACHABLE,
            "",
            PUBLISHED,
            BRIDGE,
            "it listens on 8000 in its container, and nothing comes back when the proxy connects to 172.17.0.1",
            RULE,
        ),
        (
            UNREACHABLE,
            "",
            PUBLISHED,
            BRIDGE,
            "a firewall on the Docker host drops it",
            "dusty config set routing network",
        ),
        (UNREACHABLE, None, PUBLISHED, BRIDGE, "nothing comes back when the proxy connects to 172.17.0.1", RULE),
        (UNREACHABLE, "", NETWORK, BRIDGE, "on the Compose network", ""),
        (REFUSED, "", PUBLISHED, BRIDGE, "nothing accepts connections for it at 172.17.0.1", "restart the engine"),
        (REFUSED, "", NETWORK, BRIDGE, "cannot reach it on the Compose network", "dusty up"),
        (REFUSED, None, PUBLISHED, APP, "nothing accepts connections on its port 8000", ""),
        (
            SILENT,
            "",
            PUBLISHED,
            APP,
            "the connection to its port 8000 accepts connections, then closes them without an answer",
            "",
        ),
        (BROKEN, "", PUBLISHED, APP, "longer than 256 KB, or it is not HTTP", "dusty logs dustyInternalNginx"),
        (LATE, "", PUBLISHED, APP, "did not answer within a day", ""),
        (NO_ANSWER, "", PUBLISHED, APP, "not answered yet", ""),
    ],
)
def test_the_hop_that_fails_is_named_with_the_way_out(
    saw: str, closed: str | None, settings: Settings, hop: str, what: str, mend: str
) -> None:
    verdict = judge(Answer(saw, 502), closed, settings, 8000, "172.18.0.0/16")
    assert verdict.hop == hop and what in verdict.what and mend in verdict.mend


def test_what_waiting_does_not_mend_is_not_waited_for() -> None:
    final = {
        (saw, closed)
        for saw in (NO_PROXY, REFUSED, SILENT, UNREACHABLE, LATE, NO_ANSWER, BROKEN, "")
        for closed in (CLOSED, "", None)
        if is_final(Answer(saw), closed)
    }
    assert final == {(UNREACHABLE, ""), (BROKEN, CLOSED), (BROKEN, ""), (BROKEN, None)}


def test_an_own_502_is_an_answer() -> None:
    assert Answer("", 502).is_the_apps and not Answer(SILENT, 502).is_the_apps
    assert [
        saw for saw in (NO_PROXY, REFUSED, UNREACHABLE, SILENT, BROKEN, LATE, NO_ANSWER) if Answer(saw).may_have_arrived
    ] == [SILENT, BROKEN, LATE, NO_ANSWER]


URLS = ("http://web.test/", "http://api.test:8080/")


@pytest.mark.parametrize(
    ("leads_to", "said"),
    [
        ({}, "web answers at http://web.test/ and http://api.test:8080/"),
        (
            dict.fromkeys(("web.test", "api.test"), "127.0.0.1"),
            "web answers at http://web.test/ and http://api.test:8080/",
        ),
        (
            {"web.test": "127.0.0.1", "api.test": "10.0.0.5"},
            "web answers at http://web.test/; api.test resolves to 10.0.0.5 here, not to 127.0.0.1",
        ),
        (
            {"web.test": "", "api.test": "10.0.0.5"},
            "web answers through the proxy; web.test resolves to nothing here, not to 127.0.0.1; api.test resolves to 10.0.0.5 here, not to 127.0.0.1",
        ),
    ],
)
def test_a_name_that_leads_elsewhere_is_not_said_to_answer(leads_to: dict[str, str], said: str) -> None:
    assert answering("web", URLS, leads_to, "127.0.0.1") == said
