"""How a Python project runs in a container: Django, FastAPI, Flask, or a script. Pure."""

from __future__ import annotations

import re

from dusty_tasks.core.importing.found_code import Folder, Found, port_in, services_of, version_in, words_of

USUAL_VERSION = "3.13"
_MANIFESTS = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.py", "setup.cfg")
_MODULES = (
    "main.py",
    "app.py",
    "app/main.py",
    "src/main.py",
    "api/main.py",
    "app/__init__.py",
    "application.py",
    "wsgi.py",
)
_SCRIPTS = ("main.py", "app.py", "server.py", "run.py", "src/main.py", "__main__.py")


def python(folder: Folder) -> Found | None:
    """The project of a manifest, or of manage.py."""
    source = folder.first("manage.py", *_MANIFESTS)
    if not source:
        return None
    texts = [folder.read(name) for name in _MANIFESTS]
    words = words_of(*texts)
    once, prefix = _install(folder)
    start, port, notes = _start(folder, words)
    asked = folder.read(".python-version") or next(iter(re.findall(r"requires-python\s*=\s*(.*)", texts[1])), "")
    version = _version(asked)
    return Found(
        "Python",
        source,
        f"python:{version}",
        once=once,
        always=tuple(f"exec {prefix}{line}" if line == start[-1] else f"{prefix}{line}" for line in start),
        needs_command=not start,
        port=port,
        environment={"PYTHONUNBUFFERED": "1"},
        services=services_of(words),
        notes=notes,
    )


def _version(asked: str) -> str:
    """The version to run: the usual one, unless it is too late for the code."""
    below = re.search(r"<\s*3\.(\d+)", asked)
    if below and int(below[1]) <= int(USUAL_VERSION.partition(".")[2]):
        return f"3.{int(below[1]) - 1}"
    return version_in(asked, USUAL_VERSION, r"3\.[0-9]+")


def _install(folder: Folder) -> tuple[tuple[str, ...], str]:
    """What installs the packages, and what runs a program with them."""
    names = folder.names
    if "uv.lock" in names:
        return ("pip install uv", "uv sync"), "uv run "
    if "poetry.lock" in names or "[tool.poetry]" in folder.read("pyproject.toml"):
        return ("pip install poetry", "poetry install --no-root"), "poetry run "
    if "Pipfile" in names:
        return ("pip install pipenv", "pipenv install --dev"), "pipenv run "
    lines = ["pip install -r requirements.txt"] if "requirements.txt" in names else []
    if re.search(r"^\[project\]", folder.read("pyproject.toml"), re.MULTILINE) or "setup.py" in names:
        lines.append("pip install -e .")
    return tuple(lines), ""


def _start(folder: Folder, words: frozenset[str]) -> tuple[tuple[str, ...], int, tuple[str, ...]]:
    """The lines that start it, its port, and what a person has to look at."""
    if "manage.py" in folder.names:
        notes = ("Django answers only to names in ALLOWED_HOSTS of its settings: add the host name there",)
        return ("python manage.py migrate", "python manage.py runserver 0.0.0.0:8000"), 8000, notes
    if "fastapi" in words or "starlette" in words:
        module, name = _application(folder, r"(\w+)(?:\s*:\s*\w+)?\s*=\s*(?:FastAPI|Starlette)\(")
        if module:
            return (f"uvicorn {module}:{name} --host 0.0.0.0 --port 8000 --reload",), 8000, ()
    if "flask" in words:
        module, name = _application(folder, r"(\w+)\s*=\s*Flask\(|def (create_app|make_app)\(")
        if module:
            return (f"flask --app {module}:{name} run --host 0.0.0.0 --port 5000 --debug",), 5000, ()
    if "streamlit" in words and (file := folder.first("streamlit_app.py", *_SCRIPTS)):
        return (f"streamlit run {file} --server.address 0.0.0.0 --server.port 8501",), 8501, ()
    if file := folder.first(*_SCRIPTS):
        found = port_in(folder.read(file), r"(?i)port\D{0,30}?(\d{4,5})\b", r"[\"'][\w.]*[\"']\s*,\s*(\d{2,5})\b")
        return (f"python {file}",), found or 8000, ()
    return (), 8000, ()


def _application(folder: Folder, pattern: str) -> tuple[str, str]:
    """Module and name of the application object."""
    for file in _MODULES:
        found = re.search(pattern, folder.read(file))
        if found:
            module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            return module, next(filter(None, found.groups()))
    return "", ""
