"""Codes D1…: what is wrong with what a container is given. Loaded by `explain` and for docs/errors.md alone."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.explanation import Explanation
from dusty_tasks.core.text.codes import Code

_WEB = "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"

OF_CONTAINERS: dict[Code, Explanation] = {
    Code.IGNORED_KEY: Explanation(
        "A key is ignored",
        "Dusty sets this key itself, and what the spec says has no effect. The hint names the key to write instead.",
        f"{_WEB}compose:\n  entrypoint: ./start",
        _WEB,
    ),
    Code.UNSUPPORTED_KEY: Explanation(
        "A Compose key is not supported",
        "Dusty starts exactly one container for each spec, and has to know all about it. The hint names Dusty's way to do what\n"
        "the key does in Compose.",
        f"{_WEB}compose:\n  scale: 2",
        _WEB,
    ),
    Code.UNKNOWN_COMPOSE_KEY: Explanation(
        "A key that Compose does not know",
        "The key is passed on unchanged, and Compose will probably refuse it. It may be misspelt.",
        "# services/redis.yml\nimage: redis:7\nresart: always",
        "# services/redis.yml\nimage: redis:7\nrestart: always",
    ),
    Code.PORT_MAPPING: Explanation(
        "A port mapping is not valid",
        "Write `[address:][port of the Docker host:]port of the container[/protocol]`, in quotes. Ports are 1 to 65535; two\n"
        "ranges must have the same length.",
        '# services/redis.yml\nimage: redis:7\nports: ["6379:redis"]',
        '# services/redis.yml\nimage: redis:7\nports: ["6379:6379"]',
    ),
    Code.VOLUME: Explanation(
        "A volume is not valid",
        "Write `source:target`, or `source:target:ro`. The source is a name, or an absolute path on the Docker host.",
        '# services/redis.yml\nimage: redis:7\nvolumes: ["/persist/redis:/data:ro:z"]',
        '# services/redis.yml\nimage: redis:7\nvolumes: ["/persist/redis:/data:ro"]',
    ),
    Code.RELATIVE_VOLUME: Explanation(
        "A volume names a path of this machine",
        "The Docker host may be another machine, so a path in your home folder means nothing there. Keep data below /persist, which\n"
        "stays on the Docker host; `./path` is a file or folder of the specs repo; an asset is a file that each person sets.",
        '# services/redis.yml\nimage: redis:7\nvolumes: ["~/data:/data"]',
        '# services/redis.yml\nimage: redis:7\nvolumes: ["/persist/redis:/data"]',
    ),
    Code.JOINED_NETWORK: Explanation(
        "A key cannot be used with network_mode",
        "A container that uses another network (the Docker host's, or another container's) has no ports, names and addresses of\n"
        "its own. Write them on the container whose network it is.",
        '# services/redis.yml\nimage: redis:7\nnetwork_mode: host\nports: ["6379:6379"]',
        "# services/redis.yml\nimage: redis:7\nnetwork_mode: host",
    ),
    Code.UNDECLARED_NETWORK: Explanation(
        "A network is not declared",
        "All containers of the stack share one network and reach each other by name. Leave `networks` out.",
        "# services/redis.yml\nimage: redis:7\nnetworks: [back]",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.VARIABLE_NAME: Explanation(
        "A variable's name is not valid",
        "An environment variable is `NAME: value`, or `NAME=value` in a list.",
        '# services/redis.yml\nimage: redis:7\nenvironment: ["=1"]',
        '# services/redis.yml\nimage: redis:7\nenvironment: ["DEBUG=1"]',
    ),
    Code.OWN_LABEL: Explanation(
        "A label is reserved for Dusty",
        "Dusty recognizes its containers by labels that begin with `dusty.`. Choose another name.",
        "# services/redis.yml\nimage: redis:7\nlabels: {dusty.kind: cache}",
        "# services/redis.yml\nimage: redis:7\nlabels: {team.kind: cache}",
    ),
    Code.VOLUME_DRIVER: Explanation(
        "volume_driver without a named volume",
        "The driver is for named volumes; the spec has none, so the key has no effect.",
        "# services/redis.yml\nimage: redis:7\nvolume_driver: local",
        "# services/redis.yml\nimage: redis:7\nvolume_driver: local\nvolumes: ['data:/data']",
    ),
    Code.DURATION: Explanation(
        "A duration is not valid",
        "Compose takes a number with a unit: `500ms`, `10s`, `1m30s`, `2h`. A number alone has no unit.",
        "# services/redis.yml\nimage: redis:7\nhealthcheck: {test: [CMD, redis-cli, ping], interval: 10 seconds}",
        "# services/redis.yml\nimage: redis:7\nhealthcheck: {test: [CMD, redis-cli, ping], interval: 10s}",
    ),
    Code.BYTE_SIZE: Explanation(
        "A size is not valid",
        "Compose takes bytes, or a number with b, k, m, g or t: `512m`, `1.5g`, `64kb`.",
        "# services/redis.yml\nimage: redis:7\nmem_limit: 512 megabytes",
        "# services/redis.yml\nimage: redis:7\nmem_limit: 512m",
    ),
    Code.MISSING_FILE: Explanation(
        "A file that Compose reads is missing",
        "A path is relative to the specs repo. Add the file there, or write the long form with\n"
        "`required: false` if it may be missing.",
        "# services/redis.yml\nimage: redis:7\nenv_file: redis.env",
        "# services/redis.yml\nimage: redis:7\nenv_file: [{path: redis.env, required: false}]",
    ),
    Code.FILE_OF_CONTAINER: Explanation(
        "A file that Compose reads cannot be read",
        "It is a folder, a device or too large. An env_file is a small text file.",
    ),
    Code.LINK_OUT: Explanation(
        "A link points outside the specs repo",
        "Specs come from other people, and a link in them could make Dusty read any file of yours. Copy the file into the specs\n"
        "repo. You can also write the path itself, which then needs your consent (`{dusty} trust`).",
    ),
    Code.NOT_INTERPOLATED: Explanation(
        "`${…}` is not replaced",
        "Compose would replace `${NAME}` with a variable of the shell it runs in. Dusty does not: the same specs must give the same\n"
        "containers on every machine. The container gets exactly these characters. Write the value itself; a value that differs from\n"
        "person to person is set with `{dusty} env set NAME VARIABLE VALUE`; one that specs share is a variable of vars.yml, `${{NAME}}`.",
        "# services/redis.yml\nimage: redis:7\nenvironment: {LEVEL: '${LEVEL:-info}'}",
        "# services/redis.yml\nimage: redis:7\nenvironment: {LEVEL: info}",
    ),
    Code.UNSET_VARIABLE: Explanation(
        "A variable has no value",
        "vars.yml declares the variable without a default, and neither `{dusty} vars set`, your overrides/vars.yml nor an\n"
        "active bundle gives it a value. `{dusty} up` needs one; `validate` and `compile --dry-run` use a placeholder that begins\n"
        "with `unset-`.",
        "# vars.yml\nTAG: {description: which Redis}\n# services/redis.yml\nimage: redis:${{TAG}}",
        "# vars.yml\nTAG: {default: '7'}\n# services/redis.yml\nimage: redis:${{TAG}}",
    ),
    Code.SECRET: Explanation(
        "A secret would be readable",
        "vars.yml declares the variable as a secret, so neither the specs nor the compiled files may contain its value. Only values\n"
        "of environment variables may use it: Compose reads those from a file that only you can read. Set it with\n`{dusty} vars set NAME`.",
        "# vars.yml\nPASSWORD: {secret: true}\n# services/redis.yml\nimage: redis:7\ncommand: redis-server --requirepass ${{PASSWORD}}",
        "# vars.yml\nPASSWORD: {secret: true}\n# services/redis.yml\nimage: redis:7\nenvironment: {PASSWORD: '${{PASSWORD}}'}",
    ),
    Code.COMPOSE_VALUE: Explanation(
        "Compose refuses a value",
        "Compose would reject this value when it starts the container. The message says what is allowed.",
        "# services/redis.yml\nimage: redis:7\npids_limit: many",
        "# services/redis.yml\nimage: redis:7\npids_limit: 100",
    ),
    Code.UPLOAD_OF_STREAM: Explanation(
        "max_upload on a stream",
        "A stream passes bytes through; only HTTP has uploads that nginx can limit.",
        f"{_WEB}host_forwarding:\n  - {{host_name: db.test, host_port: 5432, container_port: 5432, type: stream, max_upload: 5M}}",
        f"{_WEB}host_forwarding:\n  - {{host_name: db.test, host_port: 5432, container_port: 5432, type: stream}}",
    ),
}
