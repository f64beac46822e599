"""`dusty trust`: what the specs may do beyond running containers of their own, and who believes the certificates of https."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.powers.model import Power, digest_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import AUTHORITY_FILE
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.operations.machine import trust
from dusty_tasks.verbs.shared.words import action_of, exactly, misuse, say_json

SUBJECTS = ("specs", "status", "install", "uninstall")


def run(words: list[str], user: bool = False, json: bool = False, yes: bool = False) -> int | None:
    """List what the specs ask for, allow exactly that, or take the consent back; or the certificate authority: see, trust, forget it."""
    if user and words[:1] != ["install"]:
        raise misuse("trust", "--user goes with install")
    if words and words[0] in SUBJECTS[1:]:
        exactly("trust", words[0], words[1:])
        if json and words[0] != "status":
            raise misuse("trust", f"--json goes with specs list and status, not with {words[0]}")
        return show_authority(json) if words[0] == "status" else change_authority(words[0], yes, user)
    if yes:
        raise misuse("trust", "--yes goes with install and uninstall; it does not allow powers")
    if words and words[0] not in SUBJECTS:
        raise misuse("trust", f'"{words[0]}" is not something that can be trusted')
    action, rest = action_of("trust", words[1:], ("list", "allow", "revoke"))
    if action == "list":
        exactly("trust", "specs list", rest)
        list_powers(json)
    elif action == "allow":
        allow(exactly("trust", "specs allow", rest, *("the digest of the list",) * bool(rest)))
    else:
        exactly("trust", "specs revoke", rest)
        say("revoked: up asks again" if trust.revoke() else f"nothing was allowed to {trust.specs_id()}")
    return None


def show_authority(json: bool) -> int | None:
    """What the authority may sign for, how long it lasts, and which stores of this machine have it."""
    from datetime import UTC, datetime

    from dusty_tasks.operations.machine import authority

    made, places = authority.authority(), authority.places()
    until = datetime.fromtimestamp(made.until, UTC).date().isoformat()
    if json:
        say_json(
            {
                "home": session.home(),
                "certificate": f"{session.paths().https}/{AUTHORITY_FILE}",
                "sha256": made.fingerprint,
                "until": until,
                "names": list(made.permitted),
                "stores": [{"name": store.name, "title": store.title, "state": state} for store, state in places],
            }
        )
        return None
    say(f"certificate authority of {session.home()}, until {until}")
    say(f"  can sign for {', '.join(made.permitted)} and names below them, nothing else")
    say(f"  SHA-256 {made.fingerprint}")
    for store, state in places:
        say(f"{state:9} {store.title}")
    if authority.lacks_certutil():
        say(f"note: {NO_CERTUTIL}")
    if any(state in ("missing", "outdated") for _, state in places):
        say(f"to trust it: {DUSTY} trust install")
    return None


NO_CERTUTIL = "certutil is not installed, so the certificate stores of browsers cannot be read (Debian: libnss3-tools; Fedora: nss-tools)"


def change_authority(action: str, yes: bool, as_user: bool) -> int | None:
    """Put the authority into the stores of this machine, or take it out."""
    from dusty_tasks.console import warn
    from dusty_tasks.operations.machine import authority

    if authority.lacks_certutil():
        warn(NO_CERTUTIL)
    changed = authority.install(yes=yes, as_user=as_user) if action == "install" else authority.uninstall(yes=yes)
    if not changed:
        say(
            "nothing to do: "
            + (f"every store{' of yours' if as_user else ''} has it" if action == "install" else "no store has it")
        )
    elif action == "install":
        say("trusted; restart any browser that is open")
    else:
        say(f"removed from every store; its files stay in {session.paths().https}")
    return None


def powers() -> list[Power]:
    """What the active specs ask for, as they are now. Raises Failure for broken specs."""
    from dusty_tasks.operations.look import compiled_now

    return trust.powers_now(compiled_now().wanted)


def list_powers(json: bool) -> None:
    """Each power with its place, what it means and whether it was allowed."""
    found = powers()
    held = trust.asked(found)
    if json:
        say_json(
            {
                "specs": trust.specs_id(),
                "digest": digest_of(found),
                "gone": list(held.gone),
                "powers": [
                    {**power.to_json(), "place": trust.place_of(power), "allowed": power in held.allowed}
                    for power in found
                ],
            }
        )
        return
    for power in found:
        first, *rest = trust.lines_of(power)
        say("\n".join([f"{'allowed' if power in held.allowed else 'NOT ALLOWED'}  {first}", *rest]))
    for identity in held.gone:
        say(f"allowed, and no longer asked for: {identity}")
    if not found:
        say(f"the specs of {trust.specs_id()} ask for no power over this machine")
    elif held.new:
        say(f"to allow exactly this list: {DUSTY} trust specs allow {digest_of(found)}")
    for image in moving_images():
        say(f"note: {image}")


def moving_images() -> list[str]:
    """Images whose name may mean something else tomorrow: no power, but worth knowing."""
    from dusty_tasks.core.powers.folders import moving_image

    made, problems = session.assembled()
    refuse_errors(problems)
    named = [(app.name, app.image or "") for app in made.stack.apps.values()]
    named += [(service.name, str(service.compose.get("image") or "")) for service in made.stack.services.values()]
    return [
        f"{name} runs {image}, a name that may mean another image tomorrow"
        for name, image in named
        if image and moving_image(image)
    ]


def allow(digest: list[str]) -> None:
    """Allow what the specs ask for now; with a digest, only if that is still the list that it stands for."""
    found = powers()
    if digest and digest[0] != digest_of(found):
        raise Failure("the specs now ask for something else", f"{DUSTY} trust specs list")
    held = trust.asked(found)
    for power in held.new:
        say("\n".join(["allowed: " + trust.lines_of(power)[0], *trust.lines_of(power, with_commit=False)[1:]]))
    if held.new or held.gone:
        trust.allow(found)
    else:
        say(
            "nothing to allow: everything the specs ask for was allowed before"
            if found
            else "the specs ask for no power over this machine"
        )
