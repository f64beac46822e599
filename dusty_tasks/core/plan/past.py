"""Causes told afterwards: what was the case when a change was decided on. Pure."""

from __future__ import annotations

import re

_PAST = (
    (r"it has no container( yet)?$", "it had no container"),
    (r"it (?:ended|exited) with status (\d+)", r"it had exited with status \1"),
    (r"it has not loaded its config yet$", "it had not loaded its config"),
    (r"it was not built yet$", "it had not been built"),
    (r"it was created and never started$", "it had never been started"),
    (r"it was never ", "it had never been "),
    (r"it was ", "it had been "),
    (r"it is ", "it was "),
    (r"it does not ", "it did not "),
    (r"it keeps exiting and being restarted", "it kept exiting and being restarted"),
    (r"it differs from ", "it differed from "),
    (r"its container is ", "its container was "),
    (r"its container was renamed", "its container had been renamed"),
    (r"there is no record ", "there was no record "),
    (r"nothing active needs it$", "nothing active needed it"),
    (r"the network that it was created in is gone$", "the network that it was created in was gone"),
    (r"the engine does not start the existing one ", "the engine did not start the existing one "),
    (r"(those of .*) differ on the Docker host$", r"\1 differed on the Docker host"),
    (r"(those of .*) are not on the Docker host( yet)?$", r"\1 were not on the Docker host"),
    (r"(asset .*) is unset$", r"\1 was unset"),
    (r"--pull checks whether its tag moved$", "--pull checked whether its tag had moved"),
)


def past(cause: str) -> str:
    """`it has no container yet` -> `it had no container`; of several causes, joined by `; `, each. What is no state stays: `image a -> b`."""
    return "; ".join(map(_past, cause.split("; ")))


def of_several(why: str) -> str:
    """` (it had no container)` -> ` (they had no container)`."""
    return re.sub(r"(?<=[(;] )it had|(?<=\()it had", "they had", re.sub(r"(?<=\()it was", "they were", why))


def _past(cause: str) -> str:
    # Compiled by the first that is asked for: re keeps them, and a run without changes asks for none.
    for before, after in _PAST:
        if re.match(before, cause):
            return re.sub(before, after, cause, count=1)
    return cause
