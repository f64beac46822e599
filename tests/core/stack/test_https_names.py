"""Which names are answered over https, which certificates that takes, and what stands in its way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.https import check_https
from dusty_tasks.core.specs.model import App, Forwarding, Specs
from dusty_tasks.core.stack.https import BYTES_OF_NAMES, certificates, covers, permitted, secured
from dusty_tasks.core.stack.model import Route, Stack


def route(name: str, port: int = 80, kind: str = "http", *, index: int = 0, https: bool = True) -> Route:
    return Route("web", index, name, port, 8000, kind, 65000 + index, https=https)


def test_of_several_ports_of_a_name_one_is_answered_on_443() -> None:
    plain, high, own = route("a.test"), route("a.test", 8080), route("a.test", 443)
    assert secured((high, plain), "on") == {"a.test": plain}
    assert secured((high, plain, own), "only") == {"a.test": own}
    assert secured((high,), "on") == {"a.test": high} and secured((high, plain), "off") == {}


def test_what_is_no_http_or_kept_out_or_a_name_alone_is_not_answered() -> None:
    others = (route("a.test", https=False), route("b.test", kind="stream"), route("c.test", kind="tls"), route("web"))
    assert secured(others, "on") == {} and secured((route("d.test", kind="grpc"),), "on")


names = st.lists(st.from_regex(r"[a-z]{1,8}\.(test|example\.org|a\.b)", fullmatch=True), max_size=260, unique=True)


@given(names, st.sampled_from(["file", "localhost"]))
def test_certificates_hold_exactly_the_names_of_the_stack_in_any_order(found: list[str], mode: str) -> None:
    routes = [route(name, index=index) for index, name in enumerate(found)]
    made = certificates(routes, "on", mode)
    held = [name for one in made for name in one.names]
    wanted = found + [f"{name}.localhost" for name in found if mode == "localhost"]
    assert sorted(held) == sorted(wanted) and all(len("  ".join(one.names)) <= BYTES_OF_NAMES for one in made)
    assert made == certificates(routes[::-1], "on", mode) and len({one.id for one in made}) == len(made)


def test_five_hundred_names_are_in_one_certificate_and_what_no_client_takes_in_several() -> None:
    def made(name: str, mode: str) -> list[int]:
        routes = [route(f"{name}-{index}.shop.test", index=index) for index in range(500)]
        return [len(one.names) for one in certificates(routes, "on", mode)]

    assert made("service", "file") == [500] and made("service", "localhost") == [1000]
    parts = made("s" * 60, "file")
    assert sum(parts) == 500 and len(parts) == 2 and parts[0] > parts[1]


@given(names)
def test_the_authority_may_sign_for_these_names_and_no_others_of_the_internet(found: list[str]) -> None:
    allowed = permitted(found)
    assert all(covers(allowed, name) for name in found)
    assert not covers(allowed, "example.com") and not covers(allowed, "mytest") and not covers(allowed, "org")
    public = [name for name in found if not name.endswith(".test")]
    assert set(allowed) == {"localhost", "test", *public}


def test_another_route_on_the_port_is_told() -> None:
    forwardings = (Forwarding("a.test", 80, 8000), Forwarding("b.test", 443, 8000, https=False))
    app = App("web", "apps/web.yml", ("run",), forwardings=forwardings)
    stack = Stack(apps={"web": app}, routes=(route("a.test"), route("b.test", 443, index=1, https=False)))
    (problem,) = check_https(Specs(apps={"web": app}), stack, "on")
    assert "port 443 belongs to the proxy while the setting https is on" in str(problem)
    assert list(check_https(Specs(), stack, "off")) == []
