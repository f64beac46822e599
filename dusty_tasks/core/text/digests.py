"""SHA-256 and BLAKE2 without OpenSSL, which takes 3 ms of each start to load: Python's own, which hashlib itself falls back to, as `random` uses them.

They are slower with much data (files of a repo, an image): that is for hashlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b

        try:
            from _sha2 import sha256
        except ImportError:  # Python 3.11
            from _sha256 import sha256
    except ImportError:
        from hashlib import blake2b, sha256

__all__ = ["blake2b", "sha256"]
