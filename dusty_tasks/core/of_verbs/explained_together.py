"""Codes D2… and D3…: specs beside each other, the active stack, this machine and config.yml. Loaded by `explain` and for docs/errors.md alone."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.explanation import Explanation
from dusty_tasks.core.text.codes import Code

_LEAST = "image: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
_WEB = f"# apps/web.yml\n{_LEAST}"

TOGETHER: dict[Code, Explanation] = {
    Code.NO_BUNDLES: Explanation(
        "The specs repo has no bundles",
        "A bundle is what people activate: a list of apps and services. Without one nothing can be started.\n"
        "Add a file `bundles/main.yml` with the line `apps: [web]`.",
    ),
    Code.NAME_TAKEN: Explanation(
        "Two specs have the same name",
        "An app and a service share one namespace: both names become containers. An app and a lib may share a name unless both\n"
        "have tests.",
        f"{_WEB}# services/web.yml\nimage: redis:7",
        f"{_WEB}# services/redis.yml\nimage: redis:7",
    ),
    Code.NAME_ALIKE: Explanation(
        "Two names differ only in case",
        "On a file system that ignores case they would be the same file.",
        "# services/Redis.yml\nimage: redis:7\n# services/redis.yml\nimage: redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.EMPTY_BUNDLE: Explanation(
        "A bundle is empty",
        "Activating it would start nothing.",
        "# bundles/none.yml\napps: []",
        "# bundles/none.yml\napps: [web]",
    ),
    Code.GIVEN_TWICE: Explanation(
        "A name or path is given twice in one spec",
        "Scripts and suites of a spec have different names; assets and volumes have different paths.",
        f"{_WEB}scripts:\n  - {{name: load, command: [./load]}}\n  - {{name: load, command: [./load-all]}}",
        f"{_WEB}scripts:\n  - {{name: load, command: [./load]}}\n  - {{name: load-all, command: [./load-all]}}",
    ),
    Code.UNKNOWN_NAME: Explanation(
        "No spec has this name",
        "The name is that of a spec's file without `.yml`. It may be misspelt, or belong to another kind of spec.",
        f"{_WEB}depends: {{services: [reddis]}}\n# services/redis.yml\nimage: redis:7",
        f"{_WEB}depends: {{services: [redis]}}\n# services/redis.yml\nimage: redis:7",
    ),
    Code.CYCLE: Explanation(
        "Specs need each other in a circle",
        "None of them could be started first. Remove one of the dependencies; `conditional_links` do not order the start of apps\n"
        "that are reached by name only.",
        f"{_WEB}depends: {{apps: [api]}}\n# apps/api.yml\n{_LEAST}depends: {{apps: [web]}}",
        f"{_WEB}depends: {{apps: [api]}}\n# apps/api.yml\n{_LEAST}",
    ),
    Code.MOUNT_TAKEN: Explanation(
        "Two mounts at the same path",
        "An app's code, its libs and its volumes are mounted in one container, each at a path of its own.",
        f"{_WEB}repo: github.com/org/web\nmount: /app\ndepends: {{libs: [common]}}\n"
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /app",
        f"{_WEB}repo: github.com/org/web\nmount: /app\ndepends: {{libs: [common]}}\n"
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common",
    ),
    Code.REPO_IN_REPO: Explanation(
        "A repo is inside another",
        "Both would be copied to the same place on the Docker host. Use one repo with two apps.",
        "# libs/a.yml\nrepo: /src/team\nmount: /a\n# libs/b.yml\nrepo: /src/team/b\nmount: /b",
        "# libs/a.yml\nrepo: /src/team\nmount: /a\n# libs/b.yml\nrepo: /src/team\nmount: /b",
    ),
    Code.REPO_SPELLINGS: Explanation(
        "One repo is spelt in two ways",
        "Both spellings are the same repo, and it is cloned once: from the first spelling in the order of files.",
        "# libs/a.yml\nrepo: github.com/org/x\nmount: /a\n# libs/b.yml\nrepo: https://github.com/org/x\nmount: /b",
        "# libs/a.yml\nrepo: github.com/org/x\nmount: /a\n# libs/b.yml\nrepo: github.com/org/x\nmount: /b",
    ),
    Code.ADDRESS_TAKEN: Explanation(
        "Two routes have the same address",
        "HTTP routes on one host_port need different host_names. A stream has no host_name to tell it from another one, so it needs\n"
        "a host_port of its own.",
        f"{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\n"
        "  - {host_name: a.test, host_port: 80, container_port: 2}",
        f"{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\n"
        "  - {host_name: b.test, host_port: 80, container_port: 2}",
    ),
    Code.PORT_OF_PROXY: Explanation(
        "A container publishes a port that the proxy listens on",
        "The host_port of a route is the proxy's on the Docker host. Publish another port, or none: containers reach each other\n"
        "without published ports.",
        f'{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\ncompose:\n  ports: ["80:1"]',
        f'{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\ncompose:\n  ports: ["8080:1"]',
    ),
    Code.PORT_TWICE: Explanation(
        "Two containers publish the same port",
        "The Docker host has each port only once. Publish another one, or none: containers reach each other without published ports.",
        "# bundles/main.yml\nservices: [a, b]\n# services/a.yml\nimage: redis:7\nports: ['6379:6379']\n"
        "# services/b.yml\nimage: redis:7\nports: ['6379:6379']",
        "# bundles/main.yml\nservices: [a, b]\n# services/a.yml\nimage: redis:7\nports: ['6379:6379']\n"
        "# services/b.yml\nimage: redis:7\nports: ['6380:6379']",
    ),
    Code.SHELL_SYNTAX: Explanation(
        "No shell can read a command",
        "Commands are lines of a script for the container's `sh`. `sh -n` gives the same message.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: ['if true; then ./run.sh']",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: ['if true; then ./run.sh; fi']",
    ),
    Code.BASH_ONLY: Explanation(
        "Only bash can read a command",
        "Images such as Debian's and Alpine's have a smaller `sh`. Write it the portable way, or run `bash -c '…'` in an image that\n"
        "has bash.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: ['files=(a b)', './run.sh']",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: ['files=\"a b\"', './run.sh']",
    ),
    Code.NOTHING_ACTIVE: Explanation(
        "No bundle is active",
        "There is nothing to start. `{dusty} bundles` lists the bundles, `{dusty} bundles activate NAME` switches one on.",
        "# config.yml\nbundles: []",
        "# config.yml\nbundles: [main]",
    ),
    Code.BUNDLE_GONE: Explanation(
        "An active bundle is no longer in the specs",
        "It was renamed or removed. Deactivate it with `{dusty} bundles deactivate NAME`.",
        "# config.yml\nbundles: [main, gone]",
        "# config.yml\nbundles: [main]",
    ),
    Code.NOT_IN_THE_STACK: Explanation(
        "A container needs another one that nothing activates",
        "`volumes_from` and `network_mode` of an app order the start of containers, but activate none of them. Add the other one\n"
        "to the bundle, or to `depends` of the app.",
        f"{_WEB}compose:\n  network_mode: 'service:vpn'\n# services/vpn.yml\nimage: vpn:1",
        f"{_WEB}depends: {{services: [vpn]}}\ncompose:\n  network_mode: 'service:vpn'\n# services/vpn.yml\nimage: vpn:1",
    ),
    Code.BOUND_ASSET: Explanation(
        "An asset would end up in a mounted working tree",
        "With `sync.mode: bind` the container sees your working tree itself, and Dusty does not write into it. Read the asset at\n"
        "/dusty_assets/KEY, or give it a path outside the mount.",
        f"{_WEB}repo: /src/web\nmount: /app\nassets:\n  - {{name: KEY, path: /app/key.pem}}\n"
        "# config.yml\nbundles: [main]\nsync: {mode: bind}",
        f"{_WEB}repo: /src/web\nmount: /app\nassets:\n  - {{name: KEY, path: /etc/key.pem}}\n"
        "# config.yml\nbundles: [main]\nsync: {mode: bind}",
    ),
    Code.NO_ADDRESS: Explanation(
        "The address of the Docker host is not known",
        "The hosts file and the proxy need the address of a Docker host behind ssh. `{dusty} setup` and `{dusty} start` find it;\n"
        "or set it with `{dusty} config set host.address ADDRESS`.",
        f"{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\n"
        "# config.yml\nbundles: [main]\nhost: {kind: ssh, ssh: dev@box}",
        f"{_WEB}host_forwarding:\n  - {{host_name: a.test, host_port: 80, container_port: 1}}\n"
        "# config.yml\nbundles: [main]\nhost: {kind: ssh, ssh: dev@box, address: 192.168.64.2}",
    ),
    Code.TOO_MANY_ROUTES: Explanation(
        "More routes than ports",
        "Each route gets a port from 65000 up, and 536 are left. With `{dusty} config set routing network` the proxy reaches the\n"
        "containers without published ports, and there is no such limit.",
    ),
    Code.NEEDS_CONSENT: Explanation(
        "Specs ask for power over this machine",
        "A container wants more than its own container: a privileged mode, a device, a folder of the Docker host. Read what\n"
        "`{dusty} trust specs list` says, and allow it with `{dusty} trust specs allow` if you agree.",
    ),
    Code.SETTING: Explanation(
        "A setting has a value that is not allowed",
        "`{dusty} config` lists every setting with its meaning.",
        "# config.yml\nbundles: [main]\nrouting: proxy",
        "# config.yml\nbundles: [main]\nrouting: network",
    ),
    Code.SETTINGS_TOGETHER: Explanation(
        "Two settings do not go together",
        "Each is fine on its own. The hint names the one to change.",
        "# config.yml\nbundles: [main]\nhost: {kind: ssh, ssh: dev@box}\nsync: {mode: bind}",
        "# config.yml\nbundles: [main]\nhost: {kind: ssh, ssh: dev@box}\nsync: {mode: rsync}",
    ),
}
