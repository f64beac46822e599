"""Where images come from: the engine, a registry, or a stand-in; docker itself is a fake that keeps a table of images."""

from pathlib import Path

import pytest

from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.engine import images, root_archives
from dusty_tasks.resources import folder

SILENT = 'Error response from daemon: Get "https://r.test/v2/": dial tcp: lookup r.test: no such host'
REFUSED = "Error response from daemon: pull access denied for x, repository does not exist"


class Docker:
    """A fake engine: `registry` maps a name to what `docker pull` prints, None for success, "slow" for a long download."""

    def __init__(self) -> None:
        self.images: dict[str, bool] = {}
        self.registry: dict[str, str | None] = {}
        self.calls: list[list[str]] = []

    def run(self, argv, *, timeout=None, on_line=None, check=False, **_) -> process.Finished:
        self.calls.append(argv)
        match argv[1:]:
            case ["image", "inspect", "--format", template, name]:
                if name not in self.images:
                    return process.Finished(1, "", "No such image")
                return process.Finished(0, "1\n" if "Labels" in template and self.images[name] else "x\n", "")
            case ["images", *_]:
                return process.Finished(
                    0, "\n".join(name for name, is_stand_in in self.images.items() if is_stand_in), ""
                )
            case ["create", *_, base, "true"]:
                assert self.images[base], "made from a stand-in"
            case ["commit", *_, name]:
                self.images[name] = True
            case ["pull", name]:
                return self.pull(name, timeout, on_line)
        return process.Finished(0, "", "")

    def pull(self, name, timeout, on_line) -> process.Finished:
        answer = self.registry.get(name, SILENT)
        if answer in (None, "slow"):
            (on_line or str)(f"1: Pulling from {name}")
            if answer == "slow" and timeout:
                return process.Finished(124, "", "")
            self.images[name] = False
            return process.Finished(0, "", "")
        if answer == "hangs":
            return process.Finished(124, "", "")
        return process.Finished(1, "", answer)

    def pulls(self) -> int:
        return sum(argv[1] == "pull" for argv in self.calls)


@pytest.fixture
def docker(monkeypatch) -> Docker:
    docker = Docker()
    monkeypatch.setattr(process, "run", docker.run)
    monkeypatch.setattr(images, "write_root_archive", lambda folder, packages: folder / "root.tar")
    monkeypatch.setattr(images, "_import", lambda archive, name, env: docker.images.update({name: True}))
    images._registry_is_silent.forget()
    return docker


def ensure(name: str, **named) -> str:
    return images.ensure_image(name, lambda text: None, **named)


def test_an_image_that_is_here_asks_no_registry(docker):
    docker.images["web:1"] = False
    assert ensure("web:1") == "here"
    assert docker.pulls() == 0


def test_an_image_is_pulled(docker):
    docker.registry["web:1"] = None
    assert ensure("web:1") == "pulled"


def test_a_long_download_is_not_taken_for_silence(docker):
    docker.registry[images.NGINX_IMAGE] = "slow"
    assert ensure(images.NGINX_IMAGE) == "pulled"


@pytest.mark.parametrize("answer", [SILENT, "hangs", "proxyconnect tcp: 502 Bad Gateway"])
def test_where_no_registry_answers_the_proxy_gets_a_stand_in(docker, answer):
    docker.registry[images.NGINX_IMAGE] = answer
    assert ensure(images.NGINX_IMAGE) == "stand-in"
    assert images.is_stand_in(images.NGINX_IMAGE)


def test_one_stand_in_and_one_wait_serve_all(docker):
    said: list[str] = []
    for name in images.STANDING_IN_FOR:
        images.ensure_image(name, said.append)
    assert docker.pulls() == 1
    assert sum("building a stand-in" in text for text in said) == 1
    assert sum(text.endswith(": a stand-in") for text in said) == len(images.STANDING_IN_FOR)


def test_a_registry_that_refuses_is_an_error_even_for_the_proxy(docker):
    docker.registry[images.NGINX_IMAGE] = REFUSED
    with pytest.raises(ToolFailed, match="pull access denied"):
        ensure(images.NGINX_IMAGE)


def test_any_other_image_that_cannot_be_pulled_is_an_error(docker):
    with pytest.raises(ToolFailed, match="no such host"):
        ensure("mysql:8")


def test_a_proxy_image_of_the_users_own_may_be_stood_in_for(docker):
    assert ensure("nginx:1.0", may_stand_in=True) == "stand-in"


def test_stand_ins_give_way_once_a_registry_answers(docker):
    for name in images.STANDING_IN_FOR:
        ensure(name)
    images._registry_is_silent.forget()
    before = docker.pulls()
    assert images.replace_stand_ins(print) == []
    assert docker.pulls() == before + 1, "one silence is enough"
    images._registry_is_silent.forget()
    docker.registry = dict.fromkeys(images.STANDING_IN_FOR)
    assert images.replace_stand_ins(print) == list(images.STANDING_IN_FOR)
    assert not any(map(images.is_stand_in, images.STANDING_IN_FOR))


def test_real_images_are_never_replaced(docker):
    docker.images["web:1"] = False
    assert images.replace_stand_ins(print) == []
    assert docker.pulls() == 0


def test_without_apt_a_stand_in_cannot_be_made_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Failure, match="no apt-get here"):
        root_archives.write_root_archive(tmp_path, ["dash"])


def test_stand_ins_are_for_the_very_images_that_the_example_names():
    specs = "".join(path.read_text() for path in Path(folder("examples")).glob("*/*.yml"))
    named = {line.split("image: ")[1].strip() for line in specs.splitlines() if line.strip().startswith("image: ")}
    assert named == {images.PYTHON_IMAGE, images.REDIS_IMAGE}
