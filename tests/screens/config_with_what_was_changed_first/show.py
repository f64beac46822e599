"""`config`: a table, what was changed first."""

import os

from dusty_tasks.verbs import config

os.makedirs(os.environ["DUSTY_HOME"], mode=0o700)
with open(f"{os.environ['DUSTY_HOME']}/config.yml", "w") as file:
    file.write(
        "specs_repo: git@github.com:acme/a-specs-repo-with-quite-a-long-name.git\nbundles: [shop, tools]\n"
        "routing: network\nup: {wait: 90}\nhost: {root: /srv/dusty}\nrepos: {jobs: 4}\n"
    )
rows = config.rows
# Some of them: a new setting is no news for this screen.
SHOWN = (
    "specs_repo",
    "bundles",
    "host.kind",
    "host.root",
    "host.wait",
    "sync.exclude",
    "repos.jobs",
    "routing",
    "hosts.mode",
    "up.wait",
)
config.rows = lambda: [row for row in rows() if row["key"] in SHOWN]
config.run([])
