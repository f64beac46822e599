"""`validate` of broken specs: every problem with its place, its code and its line, severity by colour."""

import os
from pathlib import Path

from dusty_tasks.cli.main import main

specs = Path(os.environ["DUSTY_HOME"]).parent / "specs"
for name, text in {
    "bundles/shop.yml": "description: the shop\napps: [board, quoets]\n",
    "apps/board.yml": "image: python:3.12-slim\ncommands:\n  always: [python board.py]\nhost_forwarding:\n  - {host_nam: board.example.test, host_port: 80, container_port: 8000}\n",
    "apps/quotes.yml": 'image: "python:3.12-slim\ncommands: {always: [python quotes.py]}\n',
}.items():
    path = specs / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
os.chdir(specs)
main(["validate", "."])
