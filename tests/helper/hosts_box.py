"""What the tests of the hosts helper share: requests as it reads them, and a machine whose hosts file it may write."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from machine import Machine

from dusty_tasks.effects.hosts.section import HELPER_PATH

ROOT = Path(__file__).resolve().parents[2]

SOURCE = str(ROOT / "sudoers.d/dusty-hosts")
OWN_LINES = b"127.0.0.1\tlocalhost\n# mine \xff\r\n::1 localhost ip6-localhost\n"
USER = "bob"


def section(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in ("# BEGIN section for Dusty", *lines, "# END section for Dusty")).encode()


def request_of(found: bytes | None, text: bytes) -> bytes:
    digest = b"missing" if found is None else hashlib.sha256(found).hexdigest().encode()
    return digest + b"\n" + text


BY_SUDO = ("sudo", "-n", HELPER_PATH)
"""How an ordinary user calls the installed helper."""


class Box:
    """A machine whose /etc/hosts the helper may write: files are seen from out here, programs run in there."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.root = machine, Path(f"/proc/{machine.pid}/root")
        self.hosts = self.root / "etc/hosts"

    def sh(self, script: str, *, user: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.machine.run(["sh", "-c", script], user=user, check=check)

    def run(
        self, argv: Sequence[str], data: bytes = b"", *, user: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program with bytes on stdin to its end."""
        full = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
        return subprocess.run(
            self.machine.argv(argv, user=user), input=data, env=full, capture_output=True, timeout=120, check=False
        )

    def found(self) -> bytes | None:
        return self.hosts.read_bytes() if self.hosts.exists() else None

    def call(
        self,
        verb: str,
        text: bytes = b"",
        *,
        found: bytes | str | None = "as it is",
        program: Sequence[str] = (SOURCE,),
        **named,
    ) -> subprocess.CompletedProcess[bytes]:
        """Call the helper with the digest of the hosts file as it is, or of what the caller is said to have seen."""
        seen = self.found() if isinstance(found, str) else found
        return self.run([*program, verb], request_of(seen, text), **named)

    def write(self, content: bytes, mode: int = 0o644) -> None:
        self.hosts.write_bytes(content)
        self.hosts.chmod(mode)

    def leftovers(self) -> list[str]:
        """What lies in /etc beside the hosts file because of the helper; its lock file may."""
        return sorted(
            name
            for name in os.listdir(self.root / "etc")
            if name.startswith((".hosts.dusty-", "hosts.dusty")) and name != ".hosts.dusty-lock"
        )

    def reset(self) -> None:
        self.sh("""[ -L /etc/hosts ] || umount /etc/hosts 2>/dev/null || chattr -ia /etc/hosts 2>/dev/null
                   rm -rf /etc/hosts /etc/hosts.dusty-backup /etc/.hosts.dusty-*
                   umount -l /mnt/small 2>/dev/null; rm -rf /mnt/small /opt/evil; true""")
        self.write(OWN_LINES)


PYTHON_VARIABLES = [
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONWARNINGS",
    "PYTHONBREAKPOINT",
    "PYTHONINSPECT",
    "PYTHONVERBOSE",
    "PYTHONDEBUG",
    "PYTHONOPTIMIZE",
    "PYTHONDUMPREFS",
    "PYTHONDUMPREFSFILE",
    "PYTHONTRACEMALLOC",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONCOERCECLOCALE",
    "PYTHONMALLOC",
    "PYTHONSAFEPATH",
    "PYTHONINTMAXSTRDIGITS",
    "PYTHONHASHSEED",
    "PYTHONFAULTHANDLER",
    "PYTHONDEVMODE",
    "PYTHONCASEOK",
    "PYTHON_GIL",
    "PYTHON_PERF_JIT_SUPPORT",
    "PYTHON_HISTORY",
]

OTHER_VARIABLES = [
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "SSL_CERT_FILE",
    "SSLKEYLOGFILE",
    "PATH",
    "HOME",
    "TMPDIR",
    "TMP",
    "TEMP",
    "TZDIR",
    "LANGUAGE",
    "NLSPATH",
    "CHARSET",
    "HOSTALIASES",
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "RESOLV_HOST_CONF",
    "TERMINFO",
    "TERM",
    "BASH_ENV",
    "ENV",
    "IFS",
    "CDPATH",
    "PS4",
    "SHELLOPTS",
    "MALLOC_TRACE",
    "MALLOC_PERTURB_",
    "GETCONF_DIR",
    "XDG_CONFIG_HOME",
    "VIRTUAL_ENV",
    "DYLD_INSERT_LIBRARIES",
    "DEVELOPER_DIR",
    "DUSTY_HOME",
    "SUDO_USER",
    "SUDO_UID",
    "SUDO_COMMAND",
    "LD_BIND_NOW",
]

EARLY_VARIABLES = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "LD_LIBRARY_PATH",
    "LD_DEBUG_OUTPUT",
    "LD_PROFILE_OUTPUT",
    "LD_ORIGIN_PATH",
    "GLIBC_TUNABLES",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOCPATH",
    "GCONV_PATH",
    "TZ",
    "PYTHONEXECUTABLE",
    "__PYVENV_LAUNCHER__",
]
"""Read before the helper's first line runs, some even with -I: of these sudo alone keeps it free."""


def make_evil(box: Box, folder: str = "/opt/evil") -> None:
    """A folder of the user's with a module for every one that the helper imports; each says in /opt/evil/ran that it ran."""
    modules = "os sys errno fcntl hashlib ipaddress re signal stat syslog functools enum site sitecustomize usercustomize encodings codecs io abc warnings posix _hashlib antigravity"
    box.sh(f"""install -d -o bob -m 777 {folder} {folder}/lib {folder}/encodings; cd {folder}
               for module in {modules}; do echo 'open("/opt/evil/ran", "a").write(__name__)' > $module.py; done
               cp os.py encodings/__init__.py; printf 'openssl_conf = x\\n[x]\\nproviders = y\\n[y]\\nz = z\\n[z]\\nactivate = 1\\nmodule = {folder}/z.so\\n' > openssl.cnf
               chmod -R a+rX . ; touch ran; chmod 666 ran""")
