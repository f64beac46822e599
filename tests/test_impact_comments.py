"""The one comment with the output of `dusty impact`: what action.yml and the GitLab recipe of docs/ci.md run, against stand-ins."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from dusty_tasks.core.of_verbs.impact_text import MARKER

ROOT = Path(__file__).resolve().parent.parent
OURS = f"{MARKER}\nNothing changes for anyone."
OTHERS = "I wonder what <!-- dusty impact --> is"

GH = '''#!/usr/bin/env python3
"""A `gh` that keeps the comments of one pull request in a file."""
import json, os, re, sys
words = sys.argv[1:]
comments = json.load(open(os.environ["COMMENTS"]))
value = lambda option: words[words.index(option) + 1]
path = next(word for word in words[1:] if word.startswith("repos/"))
if "--method" not in words:
    assert "--paginate" in words and path == "repos/me/specs/issues/7/comments", words
    marker = re.search(r'startswith\\("(.*?)"\\)', value("--jq"))[1]
    for comment in comments:
        if comment["body"].startswith(marker):
            print(comment["id"])
    sys.stdout.flush()
    sys.exit(0)
name, _, file = value("-F").partition("=@")
assert name == "body", words
if value("--method") == "POST":
    assert path == "repos/me/specs/issues/7/comments", words
    comments.append({"id": 900, "body": open(file).read()})
else:
    (kept,) = [comment for comment in comments if path == "repos/me/specs/issues/comments/%d" % comment["id"]]
    kept["body"] = open(file).read()
json.dump(comments, open(os.environ["COMMENTS"], "w"))
'''


def bodies(*texts: str) -> list[dict[str, Any]]:
    return [{"id": number, "body": text} for number, text in enumerate(texts, 1)]


def commented_by_the_action(folder: Path, comments: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """The comments after a run of action.yml's last step, in a shell as GitHub starts it."""
    step = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]
    (folder / "gh").write_text(GH)
    (folder / "gh").chmod(0o755)
    (folder / "comments.json").write_text(json.dumps(comments))
    (folder / "impact.md").write_text(text)
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "COMMENTS": str(folder / "comments.json"),
            "COMMENT": str(folder / "impact.md"),
            "ISSUE": "repos/me/specs/issues",
            "NUMBER": "7",
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads((folder / "comments.json").read_text())
    return found


def test_the_action_writes_the_first_comment(tmp_path: Path) -> None:
    text = f"{MARKER}\n1 of 2 bundles changes."
    assert commented_by_the_action(tmp_path, bodies(OTHERS), text) == [*bodies(OTHERS), {"id": 900, "body": text}]


def test_the_action_keeps_its_one_comment_up_to_date(tmp_path: Path) -> None:
    text = f"{MARKER}\n1 of 2 bundles changes."
    found = commented_by_the_action(tmp_path, bodies(OTHERS, OURS, OTHERS), text)
    assert found == bodies(OTHERS, text, OTHERS)
    assert commented_by_the_action(tmp_path, found, text) == found


def test_of_several_comments_the_action_updates_the_first(tmp_path: Path) -> None:
    """So many that they do not fit into a pipe: whoever stops reading early makes `gh` fail, and with it the step."""
    text = f"{MARKER}\n1 of 2 bundles changes."
    many = [OURS] * 20_000
    assert commented_by_the_action(tmp_path, bodies(OTHERS, *many), text) == bodies(OTHERS, text, *many[1:])


class GitLab(BaseHTTPRequestHandler):
    """The notes of one merge request, newest first unless asked otherwise, page by page."""

    server: Server

    def answer(self, body: object = None, **headers: str) -> None:
        assert self.headers["PRIVATE-TOKEN"] == "secret"
        said = json.dumps(body).encode()
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(said))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self) -> None:
        asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        notes = self.server.notes if asked.get("sort") == "asc" else self.server.notes[::-1]
        size, page = int(asked.get("per_page", "20")), int(asked.get("page", "1"))
        following = str(page + 1) if len(notes) > page * size else ""
        self.answer(notes[(page - 1) * size : page * size], X_Next_Page=following)

    def body(self) -> str:
        return parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["body"][0]

    def do_POST(self) -> None:
        self.server.notes.append({"id": 900, "body": self.body()})
        self.answer()

    def do_PUT(self) -> None:
        wanted = int(self.path.rpartition("/")[2])
        (note,) = [note for note in self.server.notes if note["id"] == wanted]
        note["body"] = self.body()
        self.answer()

    def log_message(self, *_words: object) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    notes: list[dict[str, Any]]


@pytest.fixture
def gitlab() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), GitLab)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="needs jq and curl")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], ["new"]),
        ([OTHERS], [OTHERS, "new"]),
        ([OTHERS, OURS, OTHERS], [OTHERS, "new", OTHERS]),
        ([OURS, *[OTHERS] * 250], ["new", *[OTHERS] * 250]),
        ([*[OTHERS] * 250, OURS, OURS], [*[OTHERS] * 250, "new", OURS]),
    ],
    ids=["no note", "none of ours", "ours", "ours long ago", "ours on a later page"],
)
def test_the_gitlab_recipe_keeps_one_note(tmp_path: Path, gitlab: Server, before: list[str], after: list[str]) -> None:
    text = f'{MARKER}\n1 of 2 bundles changes & "more"\n'
    page = (ROOT / "docs/ci.md").read_text()
    (block,) = re.findall(r"^    # \.gitlab-ci\.yml\n((?:    .*\n|\n)+)", page, re.MULTILINE)
    lines = yaml.safe_load("\n".join(line[4:] for line in block.splitlines()))["impact"]["script"]
    here = [line for line in lines if not line.startswith(("pip ", "dusty ", "apt-get "))]
    assert len(here) == 2
    (tmp_path / "impact.md").write_text(text)
    gitlab.notes = bodies(*before)
    ended = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(here)],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "TOKEN": "secret",
            "NOTES": f"http://127.0.0.1:{gitlab.server_address[1]}/notes",
            "no_proxy": "*",
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert [note["body"] for note in gitlab.notes] == [text if body == "new" else body for body in after]
