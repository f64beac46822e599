"""What a person can do about git's last words. Pure: the first form that fits decides, so the telling ones stand first."""

from __future__ import annotations

import re
import shlex

from dusty_tasks.core.text.called import DUSTY

_PUBLIC_KEY = "ssh-add <your key> gives it to the agent; Dusty asks no questions while it fetches"
_ACCOUNT = "use an ssh URL with ssh-add, or let git's credential helper know the password"
_GONE = "it was moved or deleted, or your account may not see it: open its address in a browser, and fix `repo:` in the spec if it moved"
_NO_NAME = "its host name cannot be resolved: check the network, a VPN, or the URL"
_NO_ANSWER = "its host does not answer: check the network, a VPN or a proxy, or the URL"

_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"detected dubious ownership in repository at '(?P<path>[^']+)'",
        "it belongs to another user; if you trust it: git config --global --add safe.directory {path}",
    ),
    # Not behind "remote:": what a remote says names no file of this machine.
    (
        r"(?m)^(?:error|fatal): (?:cannot lock ref '[^'\n]*': )?Unable to create '(?P<path>[^'\n]+\.lock)': File exists",
        "another git works there, or was killed; if none runs any more: rm {path}",
    ),
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is another one than before: ask who runs it, then ssh-keygen -R <machine>",
    ),
    (r"Host key verification failed", "ssh to that machine once by hand, and compare its host key"),
    (r"Permission denied \(|Too many authentication failures", _PUBLIC_KEY),
    (
        r"Could not resolve host|Name or service not known|nodename nor servname|Temporary failure in name resolution",
        _NO_NAME,
    ),
    (
        r"Connection refused|Connection timed out|Operation timed out|No route to host|Network is unreachable|Failed to connect to|Connection closed by",
        _NO_ANSWER,
    ),
    (
        r"certificate (?:problem|verif)|SSL certificate",
        "the certificate of that machine is not trusted here: see git's http.sslCAInfo",
    ),
    (
        r"terminal prompts disabled|could not read (?:Username|Password)|Authentication failed|HTTP Basic: Access denied|error: 40[13]\b",
        _ACCOUNT,
    ),
    (
        r"transport '[^']+' not allowed",
        "a repo may name others by http, https and ssh, and by file:// only if it is cloned from a file:// URL itself",
    ),
    (
        r"does not appear to be a git repository|repository '[^']*' (?:does not exist|not found)|[Rr]epository not found|not found: did you run git update-server-info"
        r"|The project you were looking for could not be found|error: 404\b",
        _GONE,
    ),
    (r"No space left on device|Disk quota exceeded", "make room on the disk of DUSTY_HOME"),
    (
        r"unable to (?:create|write|open)[^\n]*Permission denied|cannot (?:create|mkdir)[^\n]*Permission denied|insufficient permission",
        "files of DUSTY_HOME belong to another user: chown them back",
    ),
    (
        r"early EOF|RPC failed|remote end hung up|unexpected disconnect|invalid index-pack output",
        "the connection broke: {dusty} repos update tries again",
    ),
    (r"Could not read from remote repository", "`git ls-remote <the URL>` by hand shows whether it can be reached"),
)


def hint_of(printed: str) -> str:
    """One hint for what git (or git-lfs) printed, '' if nothing is known about it."""
    for pattern, hint in _HINTS:
        if found := re.search(pattern, printed):
            return hint.format(dusty=DUSTY, **{name: shlex.quote(text) for name, text in found.groupdict().items()})
    return ""
