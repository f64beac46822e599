"""Whether the programs of a container believe the stack's authority, by what its start script noted (templates/commands/believe.sh). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dusty_tasks.core.of_verbs.findings import OK, Finding

BELIEVED = "/.dusty/believed"
"""In a container: a checksum of the authority, then where it was put."""


def is_in_a_store(noted: str) -> bool:
    """True if the start script put the authority into a store of the image."""
    return any(line.strip() for line in noted.splitlines()[1:])


def variables_alone(names: Sequence[str], count: int) -> list[Finding]:
    """What `doctor` says of `count` containers, of which `names` have the authority in no store of their image."""
    if not count:
        return []
    if not names:
        return [Finding("https", OK, "every container has the certificate authority in the store of its image")]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    verify = "programs there that read neither these nor NODE_EXTRA_CA_CERTS do not verify the stack's names"
    what = f"by variables alone (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE): {', '.join(names[:5])}{more}; {verify}"
    return [Finding("https", OK, f"containers trust the certificate authority {what}")]
