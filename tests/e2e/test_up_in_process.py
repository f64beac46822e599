"""`up` as a function: many runs in one process, each of which sees what is there now."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from stacks import PORT, stack_that_is_up

ROOT = Path(__file__).resolve().parents[2]
RUNS = """
import contextlib, json, os, sys
from pathlib import Path
from dusty_tasks.operations.code import sync
from dusty_tasks.operations.up.bring_up import bring_up
from dusty_tasks.operations.up.run import UpOptions

home, other, specs, page = map(Path, sys.argv[1:])
print = lambda *_words, **_named: sys.exit("a run that is heard by others prints nothing")

class Heard:
    def __init__(self):
        self.voice, self.lines, self.told = self, [], []
    def say(self, text):
        self.lines.append(text)
    warn = say
    @contextlib.contextmanager
    def progress(self, title, total):
        self.lines.append(title)
        yield self.lines.append
    def begun(self, change):
        self.told.append(f"{change.kind} {change.name}".strip())
    def done(self, change):
        self.told.append(f"{change.kind.done} {change.name}".strip())
    def failed(self, failure):
        self.told.append(f"failed: {failure}")
    def finished(self, outcome):
        self.told.append(f"ended with {outcome.code}")

def run(home, **options):
    heard = Heard()
    outcome = bring_up(UpOptions(no_pull=True, **options), heard, home=str(home))
    return {
        "code": outcome.code, "done": list(map(str, outcome.done)), "failures": list(map(str, outcome.failures)),
        "planned": len(outcome.plan.changes), "reads": outcome.sums.reads, "urls": outcome.urls, "told": heard.told,
        "lines": heard.lines, "troubles": dict(outcome.troubles), "looked": outcome.view is not None,
    }

def edit(path, old, new):
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

found = [run(home), run(home)]
edit(specs / "services/cache.yml", "100000", "200000")
found.append(run(home))
page.write_text("another page\\n")
looks = []
def heard(event, words):
    if event == "os.scandir" and isinstance(words[0], bytes) and os.fsdecode(words[0]) == f"{page.parent}/":
        looks.append(1)
sys.addaudithook(heard)
sync.read_receipts = lambda *_: sys.exit("the look read them already")
found.append({**run(home), "looks": len(looks)})
edit(home / "config.yml", "bundles:", "env: {web: {GREETING: hello}}\\nbundles:")
found.append(run(home))
found.append(run(other))
edit(specs / "apps/web.yml", "repo:", "repos:")
found.append(run(home))
edit(specs / "apps/web.yml", "repos:", "repo:")
found.append(run(home))
sys.stdout.write(json.dumps(found))
"""


def test_many_runs_in_one_process_each_see_what_was_edited_since(rig: Any, standing: Any) -> None:
    stack = standing(lambda folder: stack_that_is_up(rig, folder))
    other = stack.folder / "other"
    other.mkdir()
    (other / "config.yml").write_text((rig.home / "config.yml").read_text())
    before = rig.container_ids()
    words = [rig.home, other, stack.folder / "specs", stack.folder / "code/web/index.html"]
    done = rig.run([sys.executable, "-c", RUNS, *map(str, words)], cwd=ROOT)
    first, idle, spec, code, config, stranger, broken, last = json.loads(done.stdout)

    # What an `up` by doit left is taken over; then nothing is to be done, as there.
    for found in (first, idle, last):
        assert (found["code"], found["done"], found["planned"], found["reads"]) == (0, [], 0, 1)
        assert found["told"] == ["ended with 0"]
    assert idle["lines"] == [] and idle["urls"] == {"web": [f"http://web.test:{PORT}/"]}

    assert [line.split(":")[0] for line in spec["done"]] == ["recreate cache"]
    assert spec["told"] == ["recreate cache", "recreated cache", "ended with 0"]
    assert "wrote build/docker-compose.yml" in spec["lines"]

    assert [line.split(":")[0].split()[0] for line in code["done"]] == ["sync", "restart"]
    assert "index.html changed" in code["done"][1]
    assert rig.get(f"http://web.test:{PORT}/") == (200, "another page\n")
    assert code["looks"] == 1, "an edit is looked at once, by plan and sync together"

    assert [line.split(":")[0] for line in config["done"]] == ["recreate web"]
    assert rig.run(["docker", "exec", "dusty_web_1", "sh", "-c", "echo $GREETING"]).stdout == "hello\n"

    assert stranger["code"] == 1 and "belong to" in stranger["failures"][0] and stranger["done"] == []
    assert (other / "build/docker-compose.yml").exists(), "compiled below its own home"

    assert broken["code"] == 1 and not broken["looked"]
    assert "apps/web.yml:1:1" in broken["failures"][0] and broken["told"][-1] == "ended with 1"

    after = rig.container_ids()
    assert {name for name in after if after[name] != before.get(name)} == {"dusty_web_1", "dusty_cache_1"}
    assert rig.dusty("up").stdout.startswith("up to date"), "nor does doit find anything to do"
