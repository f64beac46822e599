"""How code of each language that Dusty knows runs in a container. Pure: names of files and their texts in, a finding out."""

from __future__ import annotations

import re
from collections.abc import Callable

from dusty_tasks.core.importing.found_code import Folder, Found, port_in, services_of, version_in, words_of
from dusty_tasks.core.importing.node import node
from dusty_tasks.core.importing.python import python

OF_GO, OF_RUBY = "1.25", "3.4"
"""Versions of images for code that names none."""
_LISTENS = (r"[\"'`][\w.]*:(\d{2,5})[\"'`]", r"(?i)port\D{0,20}?(\d{4,5})\b")


def go(folder: Folder) -> Found | None:
    """Modules with a main package at the top or in cmd/."""
    if "go.mod" not in folder.names:
        return None
    text = folder.read("go.mod")
    named = re.search(r"^go (\d+)\.(\d+)", text, re.MULTILINE)
    usual = tuple(map(int, OF_GO.split(".")))
    version = "{}.{}".format(*max(usual, (int(named[1]), int(named[2])) if named else usual))
    mains = ["main.go"] if "main.go" in folder.names else sorted(filter(_GO_MAIN.fullmatch, folder.names))
    likely = [file for file in mains if file.split("/")[-2:-1] in ([folder.name], ["server"], ["api"], ["web"])]
    file = (likely or mains or [""])[0]
    start = "." if file == "main.go" else f"./{file.removesuffix('/main.go')}"
    return Found(
        "Go",
        "go.mod",
        f"golang:{version}",
        always=(f"exec go run {start}",) if file else (),
        needs_command=not file,
        port=port_in(folder.read(file), *_LISTENS) or 8080,
        environment={"PORT": str(port_in(folder.read(file), *_LISTENS) or 8080)},
        volumes=("go-cache:/root/.cache/go-build",),
        services=services_of(words_of(text)),
        notes=(f"of {', '.join(mains)} it starts {file}",) if len(mains) > 1 else (),
    )


_GO_MAIN = re.compile(r"cmd/[\w.-]+/main\.go|cmd/main\.go")


def java(folder: Folder) -> Found | None:
    """Maven and Gradle: Spring Boot, Quarkus, and Gradle's own `run`."""
    file = folder.first("pom.xml", "build.gradle", "build.gradle.kts")
    if not file:
        return None
    text = folder.read(file)
    words, is_maven = words_of(text), file == "pom.xml"
    named = re.search(
        r"<(?:java\.version|maven\.compiler\.(?:release|source))>(?:1\.)?(\d+)|JavaLanguageVersion\.of\((\d+)\)|"
        r"sourceCompatibility\D{1,30}(?:1[._])?(\d+)",
        text,
    )
    version = next(filter(None, named.groups()), "21") if named else "21"
    tool = (
        ("sh ./mvnw" if "mvnw" in folder.names else "mvn")
        if is_maven
        else ("sh ./gradlew" if "gradlew" in folder.names else "gradle")
    )
    is_spring = any(word.startswith("spring-boot") for word in words) or "springframework" in words
    is_quarkus = "quarkus" in words
    goal = (
        ("spring-boot:run" if is_maven else "bootRun")
        if is_spring
        else ("quarkus:dev" if is_maven else "quarkusDev") + " -Dquarkus.http.host=0.0.0.0"
        if is_quarkus
        else "run"
        if not is_maven and re.search(r"\bapplication\b", text)
        else ""
    )
    settings = "".join(
        folder.read(f"src/main/resources/application.{ending}") for ending in ("properties", "yml", "yaml")
    )
    port = port_in(
        settings, r"server\.port\s*[=:]\s*(?:\$\{\w+:)?(\d+)", r"(?m)^server:\s*\n\s+port:\s*(?:\$\{\w+:)?(\d+)"
    )
    return Found(
        "Java",
        file,
        f"maven:3-eclipse-temurin-{version}" if is_maven else f"gradle:jdk{version}",
        always=(f"exec {tool} {goal}",) if goal else (),
        needs_command=not goal,
        port=port or 8080,
        volumes=("maven-cache:/root/.m2",) if is_maven else ("gradle-cache:/root/.gradle",),
        environment={} if is_maven else {"GRADLE_USER_HOME": "/root/.gradle"},
        services=services_of(words),
    )


def ruby(folder: Folder) -> Found | None:
    """A Gemfile: Rails, Jekyll, Rack, or a script."""
    if "Gemfile" not in folder.names:
        return None
    text = folder.read("Gemfile")
    words = words_of(text)
    line = next(iter(re.findall(r"^\s*ruby\s+(.*)$", text, re.MULTILINE)), "")
    version = version_in(folder.read(".ruby-version") or line, OF_RUBY, r"\d+\.\d+(?:\.\d+)?")
    once: tuple[str, ...] = ("bundle install",)
    always: tuple[str, ...] = ()
    port = 4567
    if "rails" in words:
        port = 3000
        has_database = "config/database.yml" in folder.names
        always = (
            "rm -f tmp/pids/server.pid",
            *(("bundle exec rails db:prepare",) if has_database else ()),
            "exec bundle exec rails server -b 0.0.0.0 -p 3000",
        )
    elif "jekyll" in words:
        always, port = ("exec bundle exec jekyll serve --host 0.0.0.0 --port 4000",), 4000
    elif "config.ru" in folder.names:
        always, port = ("exec bundle exec rackup --host 0.0.0.0 --port 9292",), 9292
    elif file := folder.first("app.rb", "server.rb", "main.rb"):
        always = (f"exec bundle exec ruby {file}",)
    sinatra = {"APP_ENV": "development", "BIND": "0.0.0.0", "PORT": "4567"} if port == 4567 else {}
    if "sinatra" in words and port == 4567 and always:
        always = (f"{always[0]} -o 0.0.0.0 -p 4567",)
    return Found(
        "Ruby",
        "Gemfile",
        f"ruby:{version}",
        once=once,
        always=always,
        needs_command=not always,
        port=port,
        environment=sinatra,
        services=services_of(words),
    )


def php(folder: Folder) -> Found | None:
    """Laravel, or the pages of public/, web/ or the top."""
    page = folder.first("public/index.php", "web/index.php", "index.php")
    if "composer.json" not in folder.names and not page:
        return None
    has_composer = "composer.json" in folder.names
    once: tuple[str, ...] = ("composer install",) if has_composer else ()
    always: tuple[str, ...] = ()
    if "artisan" in folder.names:
        once += (
            *(
                ("[ -e .env ] || { cp .env.example .env && php artisan key:generate; }",)
                if ".env.example" in folder.names
                else ()
            ),
        )
        always = ("exec php artisan serve --host=0.0.0.0 --port=8000",)
    elif page:
        where = page.removesuffix("index.php").rstrip("/") or "."
        always = (f"exec php -S 0.0.0.0:8000 -t {where}",)
    return Found(
        "PHP",
        "composer.json" if has_composer else page,
        "composer:2" if has_composer else "php:8-cli",
        once=once,
        always=always,
        needs_command=not always,
        port=8000,
        services=services_of(words_of(folder.read("composer.json"))),
    )


def static(folder: Folder) -> Found | None:
    """Pages that any web server shows."""
    page = folder.first("index.html", "public/index.html", "site/index.html", "www/index.html", "docs/index.html")
    if not page:
        return None
    where = page.removesuffix("index.html").rstrip("/") or "."
    return Found("static pages", page, "nginx:stable", port=80, mount="/usr/share/nginx/html", folder=where)


LANGUAGES: tuple[Callable[[Folder], Found | None], ...] = (ruby, php, java, go, python, node, static)
"""Node comes late: a package.json often only builds the pages of something else."""


def languages(folder: Folder) -> list[Found]:
    """What the files of a folder say, those first that say how to start it."""
    found = [one for language in LANGUAGES if (one := language(folder)) is not None]
    return sorted(found, key=lambda one: one.needs_command)
