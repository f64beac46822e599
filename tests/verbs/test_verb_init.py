"""`dusty init`: what it finds in repos of each language, that its specs are fine, and that it never overwrites."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml
from chosen import Chosen

from dusty_tasks import console
from dusty_tasks.verbs import init
from dusty_tasks.verbs.shared import words

FILES = {
    "node": {
        "package.json": '{"scripts": {"dev": "vite"}, "dependencies": {"pg": "8", "ioredis": "5"}, "engines": {"node": "20.x"}}',
        "pnpm-lock.yaml": "",
    },
    "express": {"package.json": '{"main": "server.js"}', "server.js": "app.listen(process.env.PORT || 4000)"},
    "django": {"manage.py": "", "requirements.txt": "django\npsycopg2-binary==2.9\n# redis\n"},
    "fastapi": {
        "pyproject.toml": '[project]\nrequires-python = ">=3.9,<3.13"\ndependencies = ["fastapi"]\n',
        "uv.lock": "",
        "app/main.py": "api: FastAPI = FastAPI()\n",
    },
    "flask": {"requirements.txt": "Flask\n", "app.py": "def create_app():\n    pass\n"},
    "script": {"requirements.txt": "pymongo\n", "main.py": "HTTPServer(('', 9000), Handler)\n"},
    "go": {
        "go.mod": "module x\n\ngo 1.99\n\nrequire github.com/jackc/pgx/v5 v5.1\n",
        "cmd/api/main.go": 'http.ListenAndServe(":9090", nil)',
    },
    "maven": {
        "pom.xml": "<project><parent><artifactId>spring-boot-starter-parent</artifactId></parent><properties>"
        "<java.version>17</java.version></properties><artifactId>postgresql</artifactId></project>",
        "mvnw": "",
        "src/main/resources/application.yml": "server:\n  port: 8085\n",
    },
    "gradle": {"build.gradle.kts": "plugins { application }\nkotlin { jvmToolchain(21) }"},
    "rails": {"Gemfile": 'ruby "3.3.1"\ngem "rails"\ngem "mysql2"\n', "config/database.yml": "", "package.json": "{}"},
    "sinatra": {"Gemfile": 'gem "sinatra"\n', "app.rb": ""},
    "laravel": {
        "composer.json": '{"require": {"laravel/framework": "12", "predis/predis": "2"}}',
        "artisan": "",
        ".env.example": "",
        "public/index.php": "",
        "package.json": '{"scripts": {"dev": "vite"}}',
    },
    "php": {"index.php": ""},
    "static": {"public/index.html": "<p>"},
    "dockerfile": {
        "Dockerfile": "ARG PORT=7000\nFROM a AS base\nENV HTTP=${PORT}\nEXPOSE 9/udp \\\n  $HTTP/tcp\nFROM b AS other\n"
        "EXPOSE 1\nFROM base\nRUN x\n",
        "package.json": "{}",
    },
    "other": {"docker/Dockerfile": "FROM nginx:1\n"},
}
WANTED = {
    "node": ("node:20", "exec pnpm run dev --host 0.0.0.0", 5173, ["postgres", "redis"]),
    "express": ("node:22", "exec node server.js", 4000, []),
    "django": ("python:3.13", "exec python manage.py runserver 0.0.0.0:8000", 8000, ["postgres"]),
    "fastapi": ("python:3.12", "exec uv run uvicorn app.main:api --host 0.0.0.0 --port 8000 --reload", 8000, []),
    "flask": ("python:3.13", "exec flask --app app:create_app run --host 0.0.0.0 --port 5000 --debug", 5000, []),
    "script": ("python:3.13", "exec python main.py", 9000, ["mongo"]),
    "go": ("golang:1.99", "exec go run ./cmd/api", 9090, ["postgres"]),
    "maven": ("maven:3-eclipse-temurin-17", "exec sh ./mvnw spring-boot:run", 8085, ["postgres"]),
    "gradle": ("gradle:jdk21", "exec gradle run", 8080, []),
    "rails": ("ruby:3.3.1", "exec bundle exec rails server -b 0.0.0.0 -p 3000", 3000, ["mysql"]),
    "sinatra": ("ruby:3.4", "exec bundle exec ruby app.rb -o 0.0.0.0 -p 4567", 4567, []),
    "laravel": ("composer:2", "exec php artisan serve --host=0.0.0.0 --port=8000", 8000, ["redis"]),
    "php": ("php:8-cli", "exec php -S 0.0.0.0:8000 -t .", 8000, []),
    "static": ("nginx:stable", None, 80, []),
    "dockerfile": (None, None, 7000, []),
    "other": (None, None, 80, []),
}


def repo(name: str) -> Path:
    """A folder `shop` with these files, which becomes the current one."""
    here = Path.cwd() / "shop"
    for file, text in FILES.get(name, {}).items():
        (here / file).parent.mkdir(parents=True, exist_ok=True)
        (here / file).write_text(text)
    here.mkdir(exist_ok=True)
    os.chdir(here)
    return here


@pytest.mark.parametrize("name", FILES)
def test_code_of_each_kind_becomes_specs_that_are_fine(dusty: Chosen, name: str) -> None:
    here = repo(name)
    ended = dusty("init", "--yes")
    assert ended.code == 0, ended.err
    assert dusty("validate", "specs").out.startswith("specs are fine: 1 bundle, 1 app, 0 libs"), name
    app = yaml.safe_load((here / "specs/apps/shop.yml").read_text())
    image, start, port, services = WANTED[name]
    assert app.get("image") == image and ("build" in app) == (image is None)
    assert app.get("commands", {"always": [None]})["always"][-1] == start
    assert app["host_forwarding"] == [{"host_name": "shop.test", "host_port": 80, "container_port": port}]
    assert app.get("depends", {}).get("services", []) == services
    assert app["repo"] == str(here)
    assert yaml.safe_load((here / "specs/bundles/shop.yml").read_text()) == {"apps": ["shop"]}
    assert ended.out.endswith(
        f"next:\n    dusty setup --specs-repo {here}/specs\n    dusty bundles activate shop && dusty up\n"
    )


def test_particulars_of_what_is_found(dusty: Chosen) -> None:
    here = repo("node")
    dusty("init", "--yes", "--host-name", "front.test")
    app = yaml.safe_load((here / "specs/apps/shop.yml").read_text())
    assert app["compose"]["environment"]["__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS"] == "front.test"
    assert app["compose"]["environment"]["DATABASE_URL"].endswith("@postgres:5432/app")
    assert app["commands"]["once"] == ["npm install -g pnpm", "pnpm install"]
    os.chdir(here.parent)
    (repo("other") / "package.json").unlink()
    assert dusty("init", "--yes", "--into", "two", "--name", "redis").code == 0
    app = yaml.safe_load((here / "two/apps/redis.yml").read_text())
    assert app["build"] == {"context": ".", "dockerfile": "docker/Dockerfile"} and app["mount"] == "/repo/shop"


def test_a_chosen_port_reaches_the_line_that_starts_it(dusty: Chosen) -> None:
    here = repo("flask")
    assert dusty("init", "--yes", "--port", "9001").code == 0
    app = yaml.safe_load((here / "specs/apps/shop.yml").read_text())
    assert "--port 9001 " in app["commands"]["always"][0] and app["host_forwarding"][0]["container_port"] == 9001


def test_a_compose_file_comes_first_and_is_imported(dusty: Chosen) -> None:
    here = repo("node")
    (here / "compose.yml").write_text("services:\n  db: {image: mine, scale: 2}\n")
    assert "--port does not go with a Compose file" in dusty("init", "--yes", "--port", "3").err
    ended = dusty("init", "--yes")
    assert (here / "specs/services/db.yml").read_text().startswith("image: mine\n")
    assert "db.scale: bent" in ended.out and "bundles activate shop" in ended.out
    assert dusty("validate", "specs").code == 0


def test_it_shows_and_asks_and_never_overwrites(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    here = repo("express")
    refused = dusty("init")
    assert refused.code == 1 and "no terminal to ask on" in refused.err and "dusty init --yes" in refused.err
    assert "specs/apps/shop.yml\n    # Node: package.json\n    repo: " in refused.out
    assert not (here / "specs").exists()
    told = json.loads(dusty("init", "--json").out)
    assert told["written"] is False and [one["path"] for one in told["files"]] == ["apps/shop.yml", "bundles/shop.yml"]
    answers = iter(["web", "", "web.dev.test", "n"])
    with monkeypatch.context() as person:
        for asker in (console, words, init):
            person.setattr(asker, "may_ask", lambda: True)
        person.setattr("builtins.input", lambda: next(answers))
        declined = dusty("init")
    assert declined.code == 1 and "host_name: web.dev.test" in declined.out and not (here / "specs").exists()
    (here / "specs/apps").mkdir(parents=True)
    (here / "specs/apps/mine.yml").write_text("image: mine\n")
    there = dusty("init", "--yes")
    assert there.code == 1 and "there are specs already: specs/apps/mine.yml" in there.err
    assert os.listdir(here / "specs") == ["apps"]
    assert json.loads(dusty("init", "--yes", "--json", "--into", "new").out)["written"] is True
    assert "there are specs already" in dusty("init", "--yes", "--into", "new").err


def test_what_no_file_tells_is_asked_for(dusty: Chosen) -> None:
    here = repo("nothing")
    assert "dusty init --image IMAGE --command LINE" in dusty("init", "--yes").err
    assert dusty("init", "--yes", "--image", "busybox:1", "--command", "exec httpd -f", "--port", "80").code == 0
    assert dusty("validate", "specs").code == 0
    (here / "go.mod").write_text("module x\n")
    unknown = dusty("init", "--yes", "--into", "new")
    assert unknown.code == 1 and "go.mod does not say how to start it" in unknown.err and "--command" in unknown.err
    for flag, value in [("--name", "A b"), ("--host-name", "a_b"), ("--port", "70000"), ("--image", "-")]:
        assert dusty("init", "--yes", "--command", "x", "--into", "new", f"{flag}={value}").code == 1, flag
    assert not (here / "new").exists()


def test_a_checkout_is_named_by_its_remote_and_a_folder_in_it_by_its_path(dusty: Chosen) -> None:
    top = repo("dockerfile")
    subprocess.run(["git", "init", "-q"], cwd=top, check=True)
    subprocess.run(["git", "remote", "add", "origin", "git@github.com:org/shop.git"], cwd=top, check=True)
    ended = dusty("init", "--yes")
    assert f"to run this checkout: dusty repos override github.com/org/shop {top}\n" in ended.out
    (top / "services/web").mkdir(parents=True)
    (top / "services/web/index.html").write_text("")
    os.chdir(top / "services/web")
    ended = dusty("init", "--yes")
    app = yaml.safe_load((top / "services/web/specs/apps/web.yml").read_text())
    assert app["repo"] == "github.com/org/shop" and app["mount"] == {"services/web": "/usr/share/nginx/html"}
    assert f"dusty repos override github.com/org/shop {top}\n" in ended.out
    assert dusty("validate", "specs").code == 0
