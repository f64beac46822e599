"""What `doctor` makes of where names lead: here, in browsers and in containers, and what is in the way."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING
from dusty_tasks.core.of_verbs.name_findings import Names, Server, browsers, containers, programs

LOOPBACK = ("127.0.0.1",)


def names(here: dict[str, tuple[str, ...]], mode: str = "file", **more: object) -> Names:
    return Names(mode, LOOPBACK, here)._replace(**more)


def said(found: list) -> str:
    return "\n".join(map(str, found))


def test_names_that_lead_to_the_proxy_are_fine() -> None:
    (finding,) = programs(names({"a.test": LOOPBACK, "b.test": LOOPBACK}))
    assert str(finding) == "ok: host names: 2 resolve to 127.0.0.1" and programs(names({}))[0].state == OK


def test_a_name_that_nobody_knows_and_one_that_leads_elsewhere_have_their_reasons() -> None:
    servers = (
        Server("10.8.0.1", "tun0", {"a.test": "10.1.2.3", "b.example.com": "NXDOMAIN"}),
        Server("9.9.9.9", "eth0", {"a.test": "no reply", "b.example.com": "127.0.0.1"}),
    )
    found = programs(names({"a.test": ("10.1.2.3",), "b.example.com": (), "c.test": LOOPBACK}, "off", servers=servers))
    assert [one.state for one in found] == [OK, WARNING, WARNING]
    assert (
        "a.test is 10.1.2.3; expected 127.0.0.1: the name server 10.8.0.1 (over tun0, which looks like a VPN) answers 10.1.2.3"
        in said(found)
    )
    assert "the name server 9.9.9.9 (over eth0) does not reply" in said(found)
    assert "b.example.com is unknown" in said(
        found
    ) and "answers NXDOMAIN; the name server 9.9.9.9 (over eth0) answers 127.0.0.1, so the other filters" in said(found)
    assert "config set hosts.mode file" in found[1].mend


def test_one_name_server_that_gives_nothing_may_be_a_filter() -> None:
    for code in ("NXDOMAIN", "SERVFAIL", "no address"):
        servers = (Server("192.168.1.1", "", {"a.test": code}),)
        (finding,) = programs(names({"a.test": ()}, "off", servers=servers))
        assert f"192.168.1.1 answers {code}; DNS rebinding protection and VPNs answer so" in finding.what
    (finding,) = programs(names({"a.test": ()}, "off", servers=(Server("192.168.1.1", "", {"a.test": "no reply"}),)))
    assert "does not reply" in finding.what and "rebinding" not in finding.what


def test_a_hosts_file_that_is_not_believed() -> None:
    def why(*order: str) -> str:
        found = programs(names({"a.test": ("1.2.3.4",)}, in_hosts_file={"a.test": LOOPBACK}, order=order))
        assert found[0].fix == ""
        return said(found)

    assert "/etc/nsswitch.conf asks mdns4, dns before the hosts file" in why("mdns4", "dns", "files")
    assert (
        "does not name the hosts file" in why("dns")
        and "a cache still holds" in why("files", "dns")
        and "cache" in why()
    )
    (own,) = programs(names({"a.test": ("1.2.3.4",)}, in_hosts_file={"a.test": ("1.2.3.4",)}))
    assert "a line of your own in the hosts file" in own.what
    (finding,) = programs(names({"a.test": ()}))
    assert finding.fix == "hosts" and "up writes the hosts section" in finding.mend


def test_a_name_that_leads_to_the_other_loopback_as_well() -> None:
    (right, also) = programs(names({"a.test": ("127.0.0.1", "::1")}))
    assert right.state == OK and "a.test leads to ::1 as well, where the proxy does not listen" in also.what
    assert "hosts.ipv6 true" in also.mend
    assert len(programs(Names("file", ("127.0.0.1", "::1"), {"a.test": ("127.0.0.1", "::1")}))) == 1
    assert "remove the other lines" in programs(names({"a.test": ("127.0.0.1", "10.0.0.1")}))[1].mend


def test_what_only_browsers_resolve() -> None:
    servers = (Server("192.168.1.1", "eth0", {"a.test.localhost": "NXDOMAIN"}),)
    (finding,) = programs(names({"a.test.localhost": ()}, "localhost", servers=servers))
    assert finding.state == WARNING and "libnss-myhostname" in finding.mend
    assert finding.what == (
        "programs that ask the system (Python, Node, Java) do not find a.test.localhost; browsers and curl do: "
        "the name server 192.168.1.1 (over eth0) answers NXDOMAIN"
    )
    assert browsers("file", {80: "x"}) == [] and browsers("localhost", {})[0].state == OK
    (held,) = browsers("localhost", {80: "nginx (pid 3)"})
    assert (
        held.state == FAILED
        and "to ::1 as well, where something else answers: port 80 is held by nginx (pid 3)" in held.what
    )


def test_containers_find_the_proxy_and_where_they_do_not_why() -> None:
    proxy = ("172.18.0.2", "")
    right = {"a.test": ("172.18.0.2",)}
    assert (
        said(containers({"web": right, "db": right}, proxy, 1))
        == "ok: host names in containers: 1 name leads to the proxy in web and db"
    )
    found = containers({"web": {"a.test": ("10.0.0.1",)}, "db": {"a.test": ()}, "bare": None, "ok": right}, proxy, 1)
    assert [one.state for one in found] == [OK, FAILED, FAILED, OK]
    assert "a.test is 10.0.0.1 in web, not the proxy: extra_hosts" in said(found) and "a.test is unknown in db" in said(
        found
    )
    assert "bare has neither getent nor nslookup" in said(found) and "in ok" in found[0].what
    (own,) = containers({"web": {"a.test.localhost": ("127.0.0.1",)}}, proxy, 1)
    assert own.state == WARNING and own.mend == "use a.test there"
    assert containers({}, proxy, 1) == [] == containers({"web": right}, (), 1)
