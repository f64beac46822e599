"""All verbs: their words, options and one line of help (more is in help_texts.py). Imported on every start, so it holds data and nothing else.

docs/verbs.md, `--help` and the shells' completion are made from this table.

More than 300 lines: it is a table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dusty_tasks.core.settings.host_kinds import HOST_KINDS


class Option(NamedTuple):
    long: str
    help: str
    short: str = ""
    type: type = bool
    """bool (a flag), str, int, or list (may be given several times)."""
    metavar: str = ""

    @property
    def name(self) -> str:
        """The keyword that the verb's run() receives."""
        return self.long.replace("-", "_")

    @property
    def default(self) -> Any:
        return {bool: False, list: []}.get(self.type)


class Verb(NamedTuple):
    name: str
    group: str
    usage: str
    """The words after the name."""
    summary: str
    options: tuple[Option, ...] = ()
    verbatim_after: int = -1
    """After this many words everything is passed on untouched, dashes included; -1: never."""
    words: tuple[str, ...] = ()
    """What each word names, for completion: bundle, app, lib, service, container, part (a container or lib), repo, script, suite, key, value, asset, path, or `a|b` literals."""
    after: dict[str, tuple[str, ...]] = {}
    """The kinds of the words after a certain first word, where they differ from `words`."""

    @property
    def is_of_a_world(self) -> bool:
        """True for a verb that acts on the world that is meant; all others are about the base."""
        return WORLD in self.options

    @property
    def asks_engine(self) -> bool:
        """True for a verb that may talk to the engine."""
        return self.group not in (CHOOSE, CODE) and self.name not in ("hosts", "completion")


JSON = Option("json", "print JSON")
YES = Option("yes", "answer yes to every question", short="y")
WORLD = Option("world", "act on this world (the command world lists them), or on the base", type=str, metavar="NAME")
NO_PULL = Option("no-pull", "do not fetch repos")
NO_OVERRIDES = Option("no-overrides", "read the specs without your overrides")

EVERY_DAY, LOOK, CHOOSE, CODE, MACHINE = "Every day", "Look", "Choose", "Specs", "This machine"

_WITHOUT_WORLDS: tuple[Verb, ...] = (
    Verb(
        "up",
        EVERY_DAY,
        "[names…]",
        "start or update everything that is active",
        (
            NO_PULL,
            Option("no-recreate", "never recreate or remove a container; list the changes left pending"),
            Option("pull", "ask the registry for newer images of the same tags"),
            Option("build", "build images even if their context is unchanged"),
            Option("reset-repos", "reset managed clones that have local work, after saving it under refs/dusty/saved"),
            Option("verbose", "list every written file, and what the run used", short="v"),
            Option("json", "print what was done as JSON; nobody is asked anything"),
            Option(
                "adopt", "take over containers and data that another DUSTY_HOME started; remove what holds their names"
            ),
            NO_OVERRIDES,
            YES,
        ),
        words=("container",),
    ),
    Verb(
        "dev",
        EVERY_DAY,
        "[names…]",
        "start the stack, then apply every edit as you make it",
        (NO_PULL, Option("ui", "also serve the page of the command ui"), YES),
        words=("container",),
    ),
    Verb(
        "stop",
        EVERY_DAY,
        "[names…]",
        "stop the named containers, or all of them",
        (
            Option("rm", "also remove them, with their anonymous volumes"),
            Option("worlds", "also those that worlds use"),
        ),
        words=("container",),
    ),
    Verb(
        "sync",
        EVERY_DAY,
        "[repos…]",
        "copy code to the Docker host",
        (
            Option("watch", "sync again on every change, until interrupted", short="w"),
            Option("checksum", "compare contents instead of sizes and times"),
            Option("allow-empty", "sync even if the source has no files left"),
            Option("progress", "show rsync's own progress"),
            Option("verify", "compare source and copy by content; change nothing"),
            Option("why", "show the rule that includes or excludes a path", type=str, metavar="PATH"),
            Option("restore", "restore what the last sync removed from the copy"),
            Option(
                "pull",
                "copy this path back from the copy into the source; more arguments are more paths",
                type=list,
                metavar="PATH",
            ),
            Option("json", "print what was copied as JSON"),
        ),
        words=("repo",),
    ),
    Verb(
        "restart",
        EVERY_DAY,
        "[names… | --repo repos… | --all]",
        "sync the code of apps and restart them",
        (
            Option("repo", "restart the apps that use this repo", type=list, metavar="R"),
            Option("repos", "the same as --repo", type=list, metavar="R"),
            Option("all", "also services and the proxy"),
            Option("no-sync", "restart without syncing"),
            Option("json", "print what was restarted as JSON"),
        ),
        words=("container",),
    ),
    Verb(
        "test",
        EVERY_DAY,
        "[target [suite|all [args…]]]",
        "run test suites in fresh containers",
        (
            Option("recreate", "rebuild the test image"),
            NO_PULL,
            Option("cached", "reuse the results of suites whose inputs are unchanged"),
            Option("jobs", "run this many suites at once", short="n", type=int, metavar="N"),
            Option("json", "print what can be tested, or how suites ended, as JSON"),
        ),
        verbatim_after=2,
        words=("app|lib", "suite"),
    ),
    Verb(
        "scripts",
        EVERY_DAY,
        "<app> [script [args…]]",
        "list the scripts of an app, or run one in its container",
        (Option("json", "print the list, or how the script ended, as JSON"),),
        verbatim_after=2,
        words=("app", "script"),
    ),
    Verb(
        "shell",
        EVERY_DAY,
        "<name> [command…]",
        "open a shell, or run a command, in a running container",
        verbatim_after=1,
        words=("container",),
    ),
    Verb("open", EVERY_DAY, "<app>", "open an app's page in the browser", words=("app",)),
    Verb(
        "cp",
        EVERY_DAY,
        "<source> <destination>",
        "copy files between this machine and containers (name:/path)",
        words=("path", "path"),
    ),
    Verb(
        "status",
        LOOK,
        "[names…]",
        "show what is active, what is running, and from which code",
        (
            JSON,
            Option("watch", "refresh until interrupted", short="w"),
            Option("verbose", "show all details, and the git state of each repo", short="v"),
            Option("stats", "show CPU and memory of each container"),
        ),
        words=("part",),
    ),
    Verb(
        "logs",
        LOOK,
        "[names…]",
        "show the output of containers",
        (
            Option("follow", "follow new output", short="f"),
            Option("timestamps", "show timestamps", short="t"),
            Option("tail", "only the last N lines of each", short="n", type=str, metavar="N"),
            Option(
                "since",
                "only from this time on, or from so long ago (10m, 2h, 2026-01-31T12:00)",
                type=str,
                metavar="T",
            ),
            Option(
                "grep",
                "only lines that match this regular expression; without capitals, it ignores case",
                type=str,
                metavar="RE",
            ),
            Option("no-prefix", "leave out the names of containers"),
            Option("timeline", "include events, as timeline does"),
            Option("json", "print JSON, one object per line"),
        ),
        words=("container",),
    ),
    Verb(
        "timeline",
        LOOK,
        "[names…]",
        "show container output and events in order of time",
        (
            Option("follow", "follow new events until interrupted", short="f"),
            Option(
                "since",
                "from this time on, or from so long ago (10m, 2h, 2026-01-31T12:00; default 1h)",
                type=str,
                metavar="T",
            ),
            Option("tail", "only the last N lines of each container", type=str, metavar="N"),
            Option("json", "print JSON, one object per line"),
        ),
        words=("container",),
    ),
    Verb(
        "plan",
        LOOK,
        "",
        "show what up would do now, and why; change nothing",
        (
            Option("exit-code", "exit with 10 if there is anything to do"),
            NO_OVERRIDES,
            JSON,
            Option("verbose", "include the diffs of generated files", short="v"),
        ),
    ),
    Verb(
        "why",
        LOOK,
        "<name>",
        "show what last happened to a container, and why",
        (Option("last", "show the last N events of its history", short="n", type=int, metavar="N"), JSON),
        words=("container",),
    ),
    Verb(
        "wait",
        LOOK,
        "[names…]",
        "wait until parts of the stack are ready, or done",
        (
            Option("for", "ready (the default), or done: exited with status 0", type=str, metavar="STATE"),
            Option("timeout", "give up after this many seconds (default: the setting up.wait)", type=int, metavar="S"),
            JSON,
        ),
        words=("container",),
    ),
    Verb("urls", LOOK, "[names…]", "print the URLs of apps and services", (JSON,), words=("container",)),
    Verb(
        "lookup",
        LOOK,
        "[path]",
        "show URLs, containers, ports and data folders, for scripts",
        (JSON,),
        words=("path",),
    ),
    Verb(
        "world",
        EVERY_DAY,
        "[list | new [NAME] | remove NAMES… | prune | share NAMES… | own NAMES…]",
        "run a second stack beside the first, made of what differs",
        (
            Option("repo", "with new: take this repo from this folder", type=list, metavar="R=PATH"),
            Option("branch", "with new: make a worktree of this branch of a repo", type=list, metavar="R=BRANCH"),
            Option("bundle", "with new: activate this bundle in place of those of the base", type=list, metavar="B"),
            Option("own", "with new: give the world its own container of this part", type=list, metavar="NAME"),
            Option("share", "with new: share this service, though it keeps data", type=list, metavar="NAME"),
            Option("data", "with new: clone (the default), or empty", type=str, metavar="HOW"),
            YES,
            JSON,
        ),
        words=("list|new|remove|prune|share|own", "world"),
        after={"list": (), "new": (), "prune": (), "share": ("container",), "own": ("container",)},
    ),
    Verb(
        "ui",
        LOOK,
        "",
        "show the stack on a local page in the browser",
        (
            Option("port", "listen on this port of loopback (default: a free one)", type=int, metavar="N"),
            Option("no-open", "print the address, and start no browser"),
            YES,
        ),
    ),
    Verb(
        "doctor",
        LOOK,
        "",
        "check everything Dusty needs, and say how to fix it",
        (Option("fix", "apply the safe repairs"), JSON),
    ),
    Verb(
        "bundles",
        CHOOSE,
        "[list | activate [--only] names… | deactivate names…]",
        "list, activate and deactivate bundles",
        (Option("only", "activate these and no others"), JSON),
        words=("list|activate|deactivate", "bundle"),
        after={"list": ()},
    ),
    Verb(
        "disable", CHOOSE, "[names…]", "leave apps and services out of the stack on this machine", words=("container",)
    ),
    Verb("enable", CHOOSE, "<names…>", "put disabled apps and services back", words=("disabled",)),
    Verb(
        "repos",
        CHOOSE,
        "[list | override R PATH | from DIR | manage (R [--branch B] | --all) | update]",
        "show and choose where the code of each repo comes from",
        (
            Option("branch", "the branch to follow; '' for the default branch", type=str, metavar="B"),
            Option("all", "manage all overridden repos"),
            Option("reset-repos", "reset clones that have local work, after saving it"),
            JSON,
        ),
        words=("list|override|from|manage|update", "repo", "path"),
        after={"list": (), "from": ("path",), "manage": ("repo",), "update": ()},
    ),
    Verb(
        "vars",
        CHOOSE,
        "[list | set (NAME VALUE | NAME=VALUE… | SECRET) | unset NAME…]",
        "show and set the variables of the specs",
        (JSON,),
        words=("list|set|unset",),
    ),
    Verb(
        "env",
        CHOOSE,
        "[list [name] | set name (VAR VALUE | VAR=VALUE… | --file F) | unset name (VAR… | --all)]",
        "show and set environment variables of apps and services",
        (
            Option("file", "read K=V lines from this file", type=str, metavar="F"),
            Option("all", "unset all variables of that app or service"),
            JSON,
        ),
        words=("list|set|unset", "container"),
    ),
    Verb(
        "assets",
        CHOOSE,
        "[list [target] | read KEY | set KEY PATH | unset KEY]",
        "manage files such as keys that stay on this machine",
        (JSON,),
        words=("list|read|set|unset", "asset", "path"),
        after={"list": ("app|lib",), "read": ("asset",), "unset": ("asset",)},
    ),
    Verb(
        "config",
        CHOOSE,
        "[list | get K | set K V | unset K | log | undo [ID]]",
        "show and change settings, with their history",
        (JSON, Option("verbose", "include allowed values, and where each is set", short="v")),
        words=("list|get|set|unset|log|undo", "key", "value"),
        after={"list": (), "get": ("key",), "unset": ("key",), "log": (), "undo": ()},
    ),
    Verb(
        "trust",
        CHOOSE,
        "[specs [list | allow [DIGEST] | revoke] | status | install | uninstall]",
        "show and allow what specs may do; trust the certificates of https",
        (Option("user", "with install: only your browsers' stores, which need no root"), YES, JSON),
        words=("specs|status|install|uninstall", "list|allow|revoke"),
    ),
    Verb(
        "compile",
        CODE,
        "",
        "generate the hosts section, nginx config, Compose file and scripts",
        (
            Option("dry-run", "check and render everything, write nothing"),
            Option("check", "write nothing; exit with 1 if anything would change"),
            Option("all-bundles", "compile each bundle alone and all together; writes nothing"),
            Option("out", "write to this folder instead of build/", type=str, metavar="DIR"),
            Option(
                "deny-powers",
                "with one of the four options above: treat whatever needs consent (see trust) as an error",
            ),
            NO_OVERRIDES,
            JSON,
        ),
    ),
    Verb(
        "validate",
        CODE,
        "[path]",
        "check all specs, or those at a path",
        (
            Option("fix", "apply the safe fixes, after showing them and asking"),
            YES,
            Option(
                "schema", "print the JSON Schema of a kind: app, lib, service, bundle, config", type=str, metavar="KIND"
            ),
            Option(
                "write", "write the schema of that kind, or of all kinds, into this folder", type=str, metavar="DIR"
            ),
            NO_OVERRIDES,
            JSON,
        ),
        words=("path",),
    ),
    Verb(
        "impact",
        CODE,
        "[base[..head]]",
        "show what a change to the specs means for everyone",
        (Option("markdown", "print Markdown for a pull request comment"), JSON),
    ),
    Verb(
        "init",
        CODE,
        "",
        "write a repo's first specs from its Compose file or its code",
        (
            Option(
                "name", "the name of the app and its bundle (default: that of the folder)", type=str, metavar="NAME"
            ),
            Option("host-name", "the name that browsers use (default: NAME.test)", type=str, metavar="NAME"),
            Option("port", "the port that it listens on; 0 for none", type=int, metavar="N"),
            Option("image", "the image to run it in, instead of a build or the usual one", type=str, metavar="IMAGE"),
            Option("command", "the shell line that starts it", type=str, metavar="LINE"),
            Option("into", "the folder to write to (default: specs)", type=str, metavar="DIR"),
            YES,
            JSON,
        ),
    ),
    Verb(
        "import",
        CODE,
        "",
        "turn a Compose project into specs, and report on every key",
        (
            Option("file", "a Compose file; later ones override earlier ones", short="f", type=list, metavar="FILE"),
            Option("env-file", "read variables from this file instead of .env", type=list, metavar="FILE"),
            Option(
                "own",
                "the repo of a service's code, and its place in the container",
                type=list,
                metavar="NAME=REPO:MOUNT",
            ),
            Option("own-from", "a folder of git checkouts that services mount or build from", type=str, metavar="DIR"),
            Option("into", "the specs repo to write to (default: specs)", type=str, metavar="SPECS"),
            Option("check", "only report; write nothing"),
            YES,
            JSON,
        ),
    ),
    Verb("explain", CODE, "[code]", "explain the code of a problem, with an example", (JSON,), words=("code",)),
    Verb("trace", CODE, "<artifact:line>", "find the spec line behind a generated line", (JSON,), words=("path",)),
    Verb(
        "setup",
        MACHINE,
        "",
        "choose the specs repo and Docker host; install the hosts helper",
        (
            Option("specs-repo", "the specs repo; empty for the examples", type=str, metavar="R"),
            Option("host", " or ".join(HOST_KINDS), type=str, metavar="KIND"),
            YES,
            Option("no-update", "do not fetch repos"),
        ),
    ),
    Verb(
        "hosts",
        MACHINE,
        "[show | diff | apply | undo | check | install | uninstall]",
        "manage the hosts file section and the helper that writes it",
        (
            Option(
                "allow",
                "let the helper also accept this address, outside loopback and private ranges",
                type=list,
                metavar="ADDRESS",
            ),
            Option("who", "the user or %group that may call the helper (default: you)", type=str, metavar="WHO"),
            YES,
        ),
        words=("show|diff|apply|undo|check|install|uninstall",),
    ),
    Verb(
        "start",
        MACHINE,
        "",
        "start the Docker host and wait for its engine",
        (Option("shell", "open a login shell there afterwards"), YES),
    ),
    Verb("shutdown", MACHINE, "", "stop Dusty's containers, then the VM"),
    Verb(
        "disk",
        MACHINE,
        "[inspect | cleanup_containers | cleanup_images | backup DEST | restore [SOURCE] | adopt VOLUME|FOLDER SERVICE]",
        "show disk usage; clean up; back up, restore, adopt data",
        (YES, JSON),
        words=("inspect|cleanup_containers|cleanup_images|backup|restore|adopt", "path", "container"),
        after=dict.fromkeys(("inspect", "cleanup_containers", "cleanup_images"), ())
        | {"backup": ("path",), "restore": ("path",)},
    ),
    Verb(
        "data",
        MACHINE,
        "[list | save NAME [services…] | restore NAME [services…] | reset services… | remove NAMES…]",
        "save, restore and empty what services keep",
        (Option("stop", "with save: stop the containers for the copy instead of pausing them"), YES, JSON),
        words=("list|save|restore|reset|remove", "", "container"),
        after={"list": (), "reset": ("container",), "remove": ()},
    ),
    Verb("dump", MACHINE, "[path]", "write an archive for a bug report, without secrets", words=("path",)),
    Verb(
        "uninstall",
        MACHINE,
        "",
        "remove what Dusty put on this machine, after listing it",
        (Option("purge", "also remove persist/, DUSTY_HOME and the stack's named volumes"), YES),
    ),
    Verb(
        "completion",
        MACHINE,
        "<bash|zsh|fish> | install [shell]",
        "print the completion script of a shell, or install it",
        (YES,),
        words=("bash|zsh|fish|install", "bash|zsh|fish"),
        verbatim_after=1,
    ),
    Verb(
        "agent",
        MACHINE,
        "[init [path] | undo [path]]",
        "tell the agents that work in a repo about Dusty",
        (Option("allow", "`changes`: offer tools that change something, too", type=str, metavar="WHAT"), YES),
        words=("init|undo", "path"),
    ),
    Verb(
        "mcp",
        MACHINE,
        "",
        "let agents use Dusty, as an MCP server on stdin and stdout",
        (Option("allow", "`changes` adds tools that change something", type=str, metavar="WHAT"), YES),
    ),
    Verb(
        "version",
        MACHINE,
        "",
        "show the versions of Dusty and of what it uses",
        (Option("check", "ask where this Dusty came from whether there is a newer one"), JSON),
    ),
)

OF_A_WORLD = (
    *("up", "dev", "stop", "restart", "sync", "test", "scripts", "shell", "open", "cp", "data", "ui"),
    *("status", "logs", "timeline", "plan", "why", "wait", "urls", "lookup"),
)
"""The verbs that act on the world that is meant."""
VERBS: tuple[Verb, ...] = tuple(
    verb._replace(options=(*verb.options, WORLD)) if verb.name in OF_A_WORLD else verb for verb in _WITHOUT_WORLDS
)

ALIASES = {
    "script": "scripts",
    "--version": "version",
    "-V": "version",
    "down": "stop --rm",
    "ps": "status",
    "exec": "shell",
}
"""What people type -> the command that it stands for, with the options that it sets."""

ANSWERS = {
    "attach": "logs NAME -f",
    "build": "up --build",
    "clone": "repos update",
    "deactivate": "bundles deactivate NAME",
    "exclude": "disable NAME",
    "activate": "bundles activate NAME",
    "describe": "status NAME",
    "check": "validate",
    "diff": "plan -v",
    "events": "timeline -f",
    "halt": "shutdown",
    "images": "disk",
    "inspect": "status NAME",
    "kill": "stop NAME",
    "lint": "validate",
    "ls": "status",
    "prune": "disk cleanup_containers",
    "pull": "up --pull",
    "rebuild": "up --build",
    "remove": "stop --rm NAME",
    "rm": "stop --rm NAME",
    "run": "shell NAME COMMAND",
    "ssh": "shell NAME",
    "stats": "status --stats",
    "tail": "logs NAME -f --tail 100",
    "top": "status --stats",
    "update": "repos update",
    "upgrade": "up --pull",
    "watch": "sync --watch",
}
"""Commands of other tools -> what does that here. They are answered, not run: what they take differs."""


def meant(word: str) -> tuple[str, list[str]]:
    """The command that a typed word stands for, and the options that it sets."""
    name, *options = ALIASES[word].split() if word in ALIASES else (word,)
    return name, options


BY_NAME: dict[str, Verb] = {verb.name: verb for verb in VERBS}
