"""Codes D0…: what is wrong with one file, whatever else there is. Loaded by `explain` and for docs/errors.md alone."""

from __future__ import annotations

from dusty_tasks.core.of_verbs.explanation import Explanation
from dusty_tasks.core.text.codes import Code

OF_FILES: dict[Code, Explanation] = {
    Code.UNREADABLE_FILE: Explanation(
        "A file cannot be read",
        "The operating system refuses to open the file, or it is not a regular file. Check its permissions.",
    ),
    Code.EMPTY_FILE: Explanation(
        "A file is empty",
        "A spec has at least its required keys: an image, a repo, a list of apps. Fill in the file, or delete it.",
        "# apps/api.yml\n# nothing but a comment",
        "# apps/api.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.NOT_UTF_8: Explanation(
        "A file is not UTF-8",
        "Specs are UTF-8 text. The place shown is the first byte that is not: most often a letter with an accent that an\n"
        "editor saved as Latin-1. Save the file as UTF-8 (`iconv -f latin1 -t utf8 old.yml > new.yml`).",
    ),
    Code.TOO_LARGE: Explanation(
        "A file is too large",
        "A spec may be up to 1 MiB. A larger file is almost certainly something else with a name ending in `.yml`.",
    ),
    Code.YAML_SYNTAX: Explanation(
        "A file is not valid YAML",
        "The YAML parser could not continue at this place. The cause may be a line earlier: a bracket that was never\n"
        "closed, or a line that is indented differently from its neighbours.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.TAB: Explanation(
        "A tab indents a line",
        "YAML indents with spaces only. Set your editor to insert spaces for `.yml` files.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n\talways: [./run.sh]",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.NO_BLANK_AFTER_COLON: Explanation(
        "A space is missing after a colon",
        "`key:value` is one word in YAML. Only a colon followed by a space separates a key from its value.",
        "# apps/web.yml\nimage:python:3.12-slim\ncommands:\n  always: [./run.sh]",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.OPEN_QUOTE: Explanation(
        "A quote is never closed",
        "The text in quotes continues to the next quote, or to the end of the file. The place shown is the opening quote.",
        '# apps/web.yml\nimage: "python:3.12-slim\ncommands:\n  always: [./run.sh]',
        '# apps/web.yml\nimage: "python:3.12-slim"\ncommands:\n  always: [./run.sh]',
    ),
    Code.MERGE_CONFLICT: Explanation(
        "A merge conflict is not resolved",
        "Git left its conflict markers in the file. Keep one of the two sides, and delete the lines with the markers.",
        "# apps/web.yml\n<<<<<<< HEAD\nimage: python:3.12-slim\n=======\nimage: python:3.13-slim\n>>>>>>> feature\n"
        "commands:\n  always: [./run.sh]",
        "# apps/web.yml\nimage: python:3.13-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.SEVERAL_DOCUMENTS: Explanation(
        "Several documents in one file",
        "A file is one spec. Put what follows the line `---` into a file of its own.",
        "# services/redis.yml\nimage: redis:7\n---\nimage: postgres:16",
        "# services/redis.yml\nimage: redis:7\n# services/postgres.yml\nimage: postgres:16",
    ),
    Code.NO_MAPPING: Explanation(
        "A file does not hold keys",
        "A spec is a mapping: lines of `key: value`. This file holds a list or a single value.",
        "# bundles/main.yml\n- web",
        "# bundles/main.yml\napps: [web]",
    ),
    Code.UNKNOWN_KEY: Explanation(
        "Unknown key",
        "The key does not exist here. It may be misspelt, or belong to another kind of spec or one level higher or lower.\n"
        "`{dusty} validate --schema app` prints every key of an app; docs/specs.md describes them.",
        "# apps/web.yml\nimgae: python:3.12-slim\ncommands:\n  always: [./run.sh]",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.TOO_DEEP: Explanation(
        "A file is nested too deeply, or expands to too much",
        "Specs nest at most 60 levels. With all aliases (`*name`) expanded they hold at most 100,000 values and 4 MiB of text.",
    ),
    Code.CONTROL_CHARACTER: Explanation(
        "A file contains a control or invisible character",
        "Such a character can cause harm in a terminal or a config file and is never needed in a spec. Delete it. It often comes\n"
        "with text that was copied from a web page or a terminal.",
        '# services/redis.yml\nimage: redis:7\ncommand: "bell\\a"',
        "# services/redis.yml\nimage: redis:7\ncommand: bell",
    ),
    Code.TAG: Explanation(
        "A YAML tag is not supported",
        "Words such as `!!python/name` or `!reset` change what YAML makes of a value. Specs have plain values only.",
        "# services/redis.yml\nimage: !mine redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.BAD_KEY: Explanation(
        "A key is not a plain word",
        "A key is one line of text. `{` and `[` begin a mapping or a list: put quotes around text that begins with them.",
        "# services/redis.yml\nimage: redis:7\nenvironment:\n  {{ name }}: value",
        "# services/redis.yml\nimage: redis:7\nenvironment:\n  NAME: value",
    ),
    Code.DUPLICATE_KEY: Explanation(
        "A key is given twice",
        "One of the two would silently win. Keep one of them, or merge their values.",
        "# services/redis.yml\nimage: redis:6\nimage: redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.MERGE_KEY: Explanation(
        "`<<` needs a mapping",
        "The merge key takes the alias of a mapping, or a list of such aliases.",
        "# services/redis.yml\n<<: redis:7\nimage: redis:7",
        "# services/redis.yml\n<<: {restart: always}\nimage: redis:7",
    ),
    Code.YAML_SUFFIX: Explanation(
        "A spec's file name ends in `.yaml`",
        "Dusty reads files ending in `.yml` only, so that one name cannot have two specs. Rename the file;\n"
        "`{dusty} validate --fix` does so.",
        "# services/redis.yaml\nimage: redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.SUBFOLDER: Explanation(
        "A spec in a subfolder",
        "Specs belong directly in bundles/, apps/, libs/ and services/: the file's name is the spec's name. A file in a folder\n"
        "below them is not read. Move it up.",
        "# services/data/redis.yml\nimage: redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.COMPOSE_FILE: Explanation(
        "A Compose file in place of a spec",
        "A spec is one container, and its file's name is the container's name. Make one file for each entry below `services:`:\n"
        "what is below the entry becomes the content of the file.",
        "# services/docker-compose.yml\nservices:\n  redis:\n    image: redis:7",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.WRONG_TYPE: Explanation(
        "A value has the wrong type",
        "The key takes another kind of value: a list where there is a string, a number where there is text in quotes, and so on.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: ./run.sh",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.MISSING_KEY: Explanation(
        "A key is missing",
        "The spec, or this part of it, needs the key.",
        "# libs/common.yml\nrepo: github.com/org/common",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common",
    ),
    Code.BOTH_GIVEN: Explanation(
        "Two keys exclude each other",
        "Both keys say the same thing in different ways. Keep one of them.",
        "# apps/web.yml\nimage: python:3.12-slim\nbuild: /srv/web\ncommands:\n  always: [./run.sh]",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]",
    ),
    Code.NEITHER_GIVEN: Explanation(
        "One of two keys is needed",
        "A container needs `image` or `build`; a bundle needs `apps` or `services`.",
        "# services/redis.yml\nrestart: always",
        "# services/redis.yml\nimage: redis:7\nrestart: always",
    ),
    Code.NEEDS_ANOTHER_KEY: Explanation(
        "A key needs another one",
        "The two keys only work together: `repo` and `mount` of an app, `dockerfile` and `build`.",
        "# apps/web.yml\nimage: python:3.12-slim\nrepo: github.com/org/web\ncommands:\n  always: [./run.sh]",
        "# apps/web.yml\nimage: python:3.12-slim\nrepo: github.com/org/web\nmount: /app\ncommands:\n  always: [./run.sh]",
    ),
    Code.NOT_ONE_OF: Explanation(
        "A value is not one of those allowed",
        "The key takes one of a few values, which the message lists.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000, type: https}",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000, type: http}",
    ),
    Code.EMPTY_VALUE: Explanation(
        "A value is empty",
        "An empty list or text has no meaning here. Give it a value, or remove the key.",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        "test: {image: python:3.12-slim, suites: [{name: unit, command: []}]}",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        "test: {image: python:3.12-slim, suites: [{name: unit, command: [pytest]}]}",
    ),
    Code.OUT_OF_RANGE: Explanation(
        "A value breaks a rule of the schema",
        "The message names the rule; `{dusty} validate --schema KIND` prints all of them.",
    ),
    Code.MISPLACED_KEY: Explanation(
        "A key belongs elsewhere",
        "An app's own keys say what Dusty does with it. What Compose knows about a container (environment, ports, volumes …) goes\n"
        "under `compose:`. A service is all Compose: its keys are at the top level.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\nenvironment:\n  DEBUG: '1'",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\ncompose:\n  environment:\n    DEBUG: '1'",
    ),
    Code.SPEC_NAME: Explanation(
        "A spec's name is not allowed",
        "The file's name becomes the name of a container, a host in the network, and a folder. Apps and libs have small letters,\n"
        "digits and single `.`, `_` or `-` between them; services may have capitals; bundles may have any printable name.",
        "# libs/My Lib.yml\nrepo: github.com/org/lib\nmount: /lib",
        "# libs/my-lib.yml\nrepo: github.com/org/lib\nmount: /lib",
    ),
    Code.HOST_NAME: Explanation(
        "A host_name is not a DNS name",
        "Write the bare name: letters, digits, hyphens and dots, without `http://`, port or path. `localhost` is reserved.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: http://local.web.test, host_port: 80, container_port: 5000}",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000}",
    ),
    Code.PORT: Explanation(
        "A value is not a port",
        "A port is a number from 1 to 65535, without quotes.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        'host_forwarding:\n  - {host_name: local.web.test, host_port: "80", container_port: 5000}',
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000}",
    ),
    Code.SIZE: Explanation(
        "A value is not a size for nginx",
        "`max_upload` takes bytes, or a number with K, M or G; 0 means no limit.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000, max_upload: 5 MB}",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\n"
        "host_forwarding:\n  - {host_name: local.web.test, host_port: 80, container_port: 5000, max_upload: 5M}",
    ),
    Code.CONTAINER_PATH: Explanation(
        "A path in a container is not usable",
        "It must be absolute, without `.` or `..` components, and cannot contain a colon, which separates the two sides of a volume.",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: common",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common",
    ),
    Code.RESERVED_PATH: Explanation(
        "A path in a container is reserved",
        "Dusty mounts its own folders at /cp, /command_files and /dusty_assets; /proc, /sys and /dev are the kernel's.",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /cp",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common",
    ),
    Code.REPO: Explanation(
        "A repo cannot be understood",
        "Write `github.com/org/name`, a URL, or the absolute path of a folder. A path in your home folder is different on\n"
        "every machine: name the repo, and let each person choose a folder with `{dusty} repos override REPO PATH`.",
        "# libs/common.yml\nrepo: ~/src/common\nmount: /common",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common",
    ),
    Code.IMAGE: Explanation(
        "An image name is not valid",
        "An image is `[registry/]name[:tag]` in letters, digits and . _ - / : @.",
        "# services/redis.yml\nimage: _redis",
        "# services/redis.yml\nimage: redis:7",
    ),
    Code.BUILD: Explanation(
        "A build folder is not usable",
        "`build` is an absolute path, or a path inside the app's repo: then `repo` and `mount` are needed too.",
        "# apps/web.yml\nbuild: ./docker\ncommands:\n  always: [./run.sh]",
        "# apps/web.yml\nbuild: ./docker\nrepo: github.com/org/web\nmount: /app\ncommands:\n  always: [./run.sh]",
    ),
    Code.PART_NAME: Explanation(
        "A script, suite or asset has a name that is not allowed",
        "It becomes a file name and a command-line argument: letters, digits, `.`, `_` and `-`.\n"
        "The suite names `all` and `setup` are reserved.",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\nscripts:\n  - {name: load data, command: [./load]}",
        "# apps/web.yml\nimage: python:3.12-slim\ncommands:\n  always: [./run.sh]\nscripts:\n  - {name: load-data, command: [./load]}",
    ),
    Code.GLOB: Explanation(
        "A pattern points outside the repo",
        "`test.inputs` are patterns of files inside the repo: relative, and without `..`.",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        "test: {image: python:3.12-slim, inputs: [../other/*], suites: [{name: unit, command: [pytest]}]}",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        "test: {image: python:3.12-slim, inputs: [requirements*.txt], suites: [{name: unit, command: [pytest]}]}",
    ),
    Code.SHELL_WORDS: Explanation(
        "Arguments cannot be split as a shell would",
        "`default_args` is one line of shell words. A quote in it was never closed.",
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        'test: {image: python:3.12-slim, suites: [{name: unit, command: [pytest], default_args: "it\'s"}]}',
        "# libs/common.yml\nrepo: github.com/org/common\nmount: /common\n"
        "test: {image: python:3.12-slim, suites: [{name: unit, command: [pytest], default_args: -x tests}]}",
    ),
    Code.UNSAFE_TEXT: Explanation(
        "A value contains a character that is not allowed",
        "Images, paths and networks end up in shell, nginx and Compose files: spaces, quotes, `$` and the like are refused there.\n"
        "Nothing is interpolated in a spec, so `$HOME` would not be expanded either.",
        "# services/redis.yml\nimage: redis:$VERSION\n# libs/common.yml\nrepo: github.com/org/common\nmount: /my lib",
        "# services/redis.yml\nimage: redis:7\n# libs/common.yml\nrepo: github.com/org/common\nmount: /my-lib",
    ),
}
