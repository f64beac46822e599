"""config.yml that is no longer what it was: kept to the byte, named with its place, and `config undo` brings the last one back."""

from __future__ import annotations

import random
import time

import pytest
from chosen import Chosen

BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)
)
DAMAGES = {
    "half": lambda data: data + b"up: {wait: 3",
    "random": lambda _data: random.Random(1).randbytes(4096),
    "2 MB": lambda data: data + b"# " + b"x" * (2 << 20),
    "150,000 keys": lambda data: data + b"".join(b"k%d: 1\n" % number for number in range(150_000)),
    "alias bomb": lambda data: data + BOMB,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "Latin-1": lambda data: data + b"# \xe9\n",
    "NUL": lambda data: data + b"\0\n",
    "deep": lambda _data: b"a: " + b"[" * 20_000,
    "a list": lambda _data: b"- a\n",
    "a tag": lambda data: data + b"x: !!python/object/apply:os.system ['touch /tmp/ran']\n",
    "escapes": lambda data: data + b"\x1b]0;x\x07\n",
}
VERBS = (
    ["validate"],
    ["status"],
    ["config", "list"],
    ["config", "set", "up.wait", "46"],
    ["bundles", "activate", "shop"],
    ["env", "set", "web", "A", "1"],
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_read_is_kept_and_named_and_undone(dusty: Chosen, damage: str) -> None:
    assert dusty("config", "set", "up.wait", "45").code == 0
    good = dusty.config.read_bytes()
    damaged = DAMAGES[damage](good)
    dusty.config.write_bytes(damaged)
    for words in VERBS:
        started = time.monotonic()
        ended = dusty(*words)
        assert ended.code in (1, 2) and "config.yml:" in ended.err, (words, ended)
        assert "Traceback" not in ended.err and "\x1b" not in ended.err and len(ended.err) < 5000, words
        assert time.monotonic() - started < 20, words
        assert dusty.config.read_bytes() == damaged, words
    assert dusty("config", "undo").code == 0
    assert dusty.config.read_bytes() == good


def test_a_byte_order_mark_is_no_damage(dusty: Chosen) -> None:
    dusty.config.write_bytes(b"\xef\xbb\xbf" + dusty.config.read_bytes())
    assert dusty("config", "set", "up.wait", "45").code == 0 and dusty("config", "get", "up.wait").out.strip() == "45"
