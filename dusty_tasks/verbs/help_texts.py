"""What the page of a verb says beyond its one line: for `--help` and docs/verbs.md, and loaded for nothing else.

More than 300 lines: it holds one text a verb.
"""

from __future__ import annotations

DETAILS: dict[str, str] = {
    "up": """\
Before it changes anything on this machine other than containers (packages, the group docker, the hosts file, a link in
~/.local/bin, completion), it lists all of it and asks once; --yes answers. Without a terminal it leaves that undone, and
says so at the end.

Fetches the repos, checks and compiles the specs, compares them with what is running, and changes only what differs: a
container is left alone, restarted (its code or assets changed, or a file or folder that it mounts was replaced) or recreated
(its image, environment, ports or volumes changed). Every change is printed with its cause. No running container is stopped
before its replacement has been compiled and its image is there.

With names, only those apps and services change, together with everything that must start before them, and the proxy if one
of them has a route. Everything else stays as it is until the next `{dusty} up` without names.

At the end it waits, for at most up.wait seconds (a setting), until what it started is ready: its route answers, or its health
check passes; a container with neither must run for two seconds, or exit with status 0. A container that exits otherwise, or
exits at all although it has a route or a health check, is shown with its last lines; exit code 2. One that runs but does not
answer, or is unhealthy, is shown with the ports it listens on or with what its check printed; exit code 1. Each `{dusty} up`
checks both again until they are fixed. A failed build shows the last lines of its step; state/last-build.log holds all of it.

On a terminal, work in progress is shown at the bottom and becomes a line with its time once it is done. The URLs of what is
up come at the end, and failures last.

With --json, what was done, what is left and why goes to stdout as one document, and everything else to
stderr.""",
    "dev": """\
Does what `{dusty} up` does, then watches the code of the named apps (without names: of all), the specs and config.yml until
^C, which leaves the stack running. Each save is sent at once, and gets a line: when it reached the container, what the
container did, and when it served again. The app's spec (key `reload`) decides what an edit does: restart the container,
recreate it, send a signal, run commands, or nothing. An edit of a lib does this in every app that mounts it.

A saved spec is applied as `{dusty} up` would apply it; a broken one is reported with file and line, and the stack stays as
it is until the next good save. What cannot be done now (the Docker host cannot be reached, its engine is down, a folder is
gone) is reported once, and done as soon as possible. You can use `{dusty} up` and `{dusty} sync` at the same time.

    {dusty} dev
    {dusty} dev web""",
    "stop": """\
Data below /persist and in named volumes is kept, even with --rm. You can also name containers whose specs are gone.

    {dusty} stop
    {dusty} stop --rm web""",
    "sync": """\
Copies one way, from this machine to the Docker host. Files that the source does not have are deleted there, except mount
points, excluded files (.git, .dustyignore, the setting sync.exclude) and files that the repo's .gitignore files ignore. If
the setting sync.delete is `all`, ignored files are deleted too; if it is `sent`, only files that an earlier sync sent are.
Without names, it syncs all repos of the stack.

Files that were created or changed on the Docker host are never lost: a sync that removes them lists them, and keeps them
there in persist/.dusty/kept: the last ten sets of each repo, up to 1 GiB. --restore moves the newest set (or that of a time
that `{dusty} disk` lists) back into the copy, where the next sync that has something to send finds it again; --pull copies a
path of the copy, or a kept one, into the source instead. It never overwrites what you edited since the last sync.
`{dusty} status -v` lists what a sync would find.

    {dusty} sync --watch web
    {dusty} sync web --why build/out.js
    {dusty} sync web --restore
    {dusty} sync web --pull db/migrate/003.sql""",
    "restart": """\
Restarts the containers as they are; only `{dusty} up` applies changed specs. Without names, it restarts all apps; services
and the proxy keep running unless you add --all. If something that an app needs is not running, it is started first. With
--repo, every argument is a repo.

    {dusty} restart web
    {dusty} restart --repo shared-lib""",
    "test": """\
Without a target, it lists everything that has tests; without a suite, the suites of the target. `all` runs every suite and
ends with a table. Arguments after the suite replace its default arguments, unchanged. Each suite gets fresh services of its
own and never touches the stack's data; its containers are always removed. The suite reaches its services at `localhost`.

The test image holds what `test.once` and the libs' `install` did. It is rebuilt, with the reason, when its base, its setup,
its mounts or the commit of a repo in it changes (with `test.inputs`: when files of its own repo that match them change).
What a suite writes to the folder $DUSTY_RESULTS (JUnit files, say) is kept in DUSTY_HOME/test-results/<target>/<suite>.
With `--json`, one document at the end tells how the suites ended; what they print goes to stderr.

    {dusty} test web
    {dusty} test web unit -k login
    {dusty} test -n 4 web all                four suites at a time
    {dusty} test --cached web all            only suites whose inputs changed""",
    "scripts": """\
Without a script, it lists their names and descriptions. Arguments reach the script unchanged, and the exit status is the
script's. With `--json`, a document at the end tells how the script ended; what it prints goes to stderr.

    {dusty} scripts web
    {dusty} scripts web reset --hard""",
    "shell": """\
Runs bash if the container has it, else sh, and exits with the command's status. The command gets a terminal if stdin,
stdout and stderr are all terminals; otherwise its output arrives byte for byte, stdout and stderr separately. ^C, closing the
terminal, or closing the pipe that reads its output also ends it in the container.

    {dusty} shell web
    {dusty} shell web env""",
    "open": "Prints the URL of the app's first http route, and opens it if a browser can be started.",
    "cp": """\
`name:/path` is in a container, running or not; a local path with a colon is written ./a:b. The destination is the path of
the copy itself; a file onto a folder, or to a path that ends in `/`, goes inside. A folder onto a folder merges: same
names are overwritten, nothing else is ever deleted. What exists only while the container runs (a tmpfs, /proc) is read and
written through the running container, which needs `sh` and `tar` for that. `-` is stdin or stdout: a file goes there as it
is, a folder as a tar archive.

    {dusty} cp web:/var/log/app.log .
    {dusty} cp web:/srv/dump.sql.gz - | zcat
    {dusty} cp fixtures web:/srv/fixtures
    {dusty} cp web:/srv/data api:/srv/data""",
    "status": """\
One line for each part of the stack, those that need attention first: the state of its container and for how long, the commit
its code comes from, and then the one thing to know: why it failed, what `{dusty} up` would change, or its URLs. A container is
running, starting, not answering, unhealthy, failed, stopped (by hand), finished (its work is done), paused, created or
absent. If the Docker host is known to be off, so is the container; if the Docker host does not answer, the state is unknown,
and status exits with 2.

With names, or with `-v` for all parts, it shows every detail and the repos that they use. On a terminal, lines are cut to its
width; `-w` takes the whole screen, keeps what needs attention in view, and restores the screen at the end. It
shows CPU, memory and what each part was last started for; `--stats` shows CPU and memory once, in half a second.""",
    "wait": """\
For scripts and agents, beside `{dusty} up` or after an edit. Without names it waits for the whole stack; with `--for done`,
for all its jobs. It judges as `{dusty} up` does: a part is ready when its routes answer and its health check passes; one with
neither must have run for two seconds, or have exited with status 0.

It exits with 0 once all parts are ready (or done), otherwise with 1, and says why each of the others is not. A part that
fails ends the wait at once, unless a `{dusty} up` is running; for a part without a container it keeps waiting. With --json,
`late` holds the reasons.

    {dusty} wait web && curl http://web.example.test/
    {dusty} wait --for done --timeout 300 migrate""",
    "urls": """\
Reads what was compiled last; for TCP routes it prints `host:port`. `{dusty} open` opens the first URL of an app in the browser.

    {dusty} urls
    {dusty} urls web""",
    "lookup": """\
Shows what was compiled last: the names of the containers, their URLs and published ports, the folders below persist/ and the
named volumes that hold their data; and, for a path (default: this folder), which repo of the stack it belongs to and who
uses that repo. It does not ask the engine, so it says nothing about what is running: use `{dusty} status` or `{dusty} wait`.

    {dusty} lookup
    {dusty} lookup ~/src/shop --json""",
    "logs": """\
Merges the output of several containers, each line after the name of its container. Exited containers are included. What they
wrote to stderr goes to stderr; `2>&1` sends both to a pipe.

With -f it continues through restarts and recreations and gives their causes: `-- api restarted: repo api was synced --`. It
ends when all containers have exited and none will restart; on a terminal it waits for the next start, until ^C.

    {dusty} logs -f web api
    {dusty} logs --since 10m --tail 100""",
    "timeline": """\
Lines that a container printed follow its name and `|`; events follow `*`: starts with their causes, exits with their reasons,
changes of health, syncs, each `{dusty} up` with who ran it, restarts of the engine. Times are by this machine's clock; the
engine's are corrected by the difference. Events that the engine no longer knows come from the journal that `{dusty} up` and
`{dusty} dev` keep on the Docker host. With names, it shows those containers and whatever concerns the whole stack.

    {dusty} timeline
    {dusty} timeline -f web redis
    {dusty} timeline --since 1d --tail 20""",
    "plan": """\
Lists what `{dusty} up --no-pull` would do now, in order, each line with its cause. If the Docker host does not answer, there is
no plan, and the exit code is 2; if it is known to be off, it says so.""",
    "why": """\
First it tells what the last `{dusty} up`, restart or stop did to the container, with the cause and its spec line; then what the
container is doing now and, if that is not what it should be doing, why, since when, and its last lines without secrets. It
goes by what the engine says (the memory limit, a kill, a stop, a failing health check, a restart policy and its count, an
image, command or port that keeps it from starting, a restart of the engine), then by what was printed (a full disk, a
missing command), then by what it needs and what died before it. `likely` marks a best guess where nothing was recorded.

    {dusty} why web
    {dusty} why --json web""",
    "world": """\
A world is a second stack beside the first, the base: it takes some repos from elsewhere (another git worktree, say), and has
containers of its own for the parts that differ, for what depends on those, and for services whose data they would change. All
other parts are shared: the container of the base serves the world, too. `{dusty} plan` lists each part with the reason.

In a worktree of a repo of the stack, `new` takes that repo from there, and the branch as the name; elsewhere, say --repo or
--branch (which makes a worktree that `remove` takes away again, unless it holds uncommitted work). Commands that you type in
that worktree act on the world: `{dusty} up` starts it. --world NAME or DUSTY_WORLD names another; `--world base` is the base.
Without a word, it says which world this folder means, and lists all.

A world's names begin with its own: fix.board.example.test. In its containers, the plain names lead to its own parts. The data
of its own services is a copy of the base's (--data empty: none). A spec can say `world: own` (queue workers, cron) or
`world: shared`; `own` and `share` decide for the world you are in, from its next `{dusty} up` on.

`remove` takes away containers, network, data, copies and hosts lines; `prune` does that for worlds whose worktrees are gone.

    {dusty} world new
    {dusty} world new fix --branch shop=fix-cart --own worker
    {dusty} up --world fix
    {dusty} world remove fix""",
    "ui": """\
Serves one page until ^C: the graph of the stack, each part with its state, URLs, code, CPU and memory, why it failed, its
timeline and its output; and the plan of the next `{dusty} up`. Every button runs a command, which it names. The page is
served on 127.0.0.1 only, to the browser that has the address with its token; secrets are masked as in `{dusty} dump`.
Where there are worlds, a list at the top switches between them and the base.

It needs two Python packages, and asks before it installs them.

    {dusty} ui
    {dusty} ui --no-open --port 8900""",
    "doctor": """\
One line for each check: ok, a warning, or a failure with the command that fixes it. It also checks for containers that
failed, are unhealthy or do not answer, and for a DUSTY_HOME that other users of this machine can read or change. It
exits with 1 if anything failed.""",
    "bundles": """\
A bundle names apps and services that are used together. Several can be active at a time; what they need is included. No
container changes until the next `{dusty} up`.

    {dusty} bundles activate shop            one more
    {dusty} bundles activate --only shop     this one alone""",
    "repos": """\
R is a full repo string, an id, or a short name if only one repo has it. A managed repo is a clone that Dusty fetches, with
its submodules and LFS files (settings repos.submodules and repos.lfs). It follows its remote, even through rewritten history,
until it contains work of yours; then it is left alone. An overridden repo is a folder of yours, which Dusty never changes.

    {dusty} repos override web ~/src/web
    {dusty} repos from ~/src                 all that are found there
    {dusty} repos manage web --branch next
    {dusty} repos manage --all
    {dusty} repos update                     fetch those that are managed""",
    "disable": """\
What needs a disabled app or service runs without it: `depends`, `links` and `depends_on` leave it out, and so do
bundles. The specs do not change, and nobody else is affected; `{dusty} status` names what is disabled. Data
below /persist and named volumes stay. Without names it lists what is disabled.

    {dusty} disable search mail
    {dusty} up""",
    "enable": "The opposite of `{dusty} disable`; the next `{dusty} up` starts it if the active bundles need it.",
    "vars": """\
The specs declare variables in vars.yml and use them as ${{NAME}}. A value set here takes
precedence over your overrides/vars.yml, that over an active bundle, and that over the default. It is kept in
config.yml, with its history. The next `{dusty} up` applies it.

Dusty prompts for the value of a secret (`secret: true` in vars.yml) without showing it, or reads it from a pipe. It is kept
in a file of mode 0600 below DUSTY_HOME/secrets and in no history; the list shows `(set)`.

    {dusty} vars
    {dusty} vars set DB_NAME shop_test
    {dusty} vars set DB_PASSWORD
    {dusty} vars unset DB_NAME""",
    "env": """\
They are added to those of the spec, on this machine only. The next `{dusty} up` applies them by recreating the container. In a
file, blank lines and lines that start with # are skipped; a name on its own takes its value from the environment of
`{dusty} up`, and a value in quotes may span several lines.

    {dusty} env set web DEBUG 1
    {dusty} env set web DEBUG=1 GREETING='good morning'
    {dusty} env set web --file my.env""",
    "assets": """\
`set` keeps a copy of the file as it is now, with mode 0600; the next `{dusty} up` or `{dusty} test` sends it to the containers
whose specs declare it, and to no others. `read` prints it.

    {dusty} assets set GITHUB_KEY ~/.ssh/id_ed25519
    {dusty} assets list web""",
    "config": """\
Settings live in config.yml, which you can also edit by hand. `set` takes a literal, `@file`, or `-` for stdin; lists and
mappings as YAML or JSON. The value is checked before anything changes. Every change is recorded, whichever command made it:
`log` lists them, `undo` reverts the newest, and `undo ID` goes back to before that one.

    {dusty} config set routing network
    {dusty} config set sync.exclude '[node_modules/, "*.log"]'
    {dusty} config set host.daemon @daemon.json""",
    "compile": """\
Needs no Docker, root or network. Files that are up to date are left alone. Use --dry-run in the CI of a specs repo: it
reports every problem at once, each with its file, line and a hint.""",
    "validate": """\
Reports all problems of all specs at once, each with its file, line, column and code, the line itself and a hint. A cause
comes before its consequences. `{dusty} explain CODE` says more about a code. With a path, no settings are needed.

--fix shows what can be fixed safely as a diff and asks: misspelt keys with only one possible meaning, text where a list is
needed, numbers in quotes, a missing space after a colon, tabs, Compose keys of an app that belong under `compose:`, and files
named `.yaml`. Each fix is tested first: its problem must be gone, and no other may appear. Everything else in the file stays
byte for byte.

    {dusty} validate ~/src/specs
    {dusty} validate --fix
    {dusty} validate --schema app --write .schemas""",
    "explain": """\
Each problem ends with its code in brackets. Without a code, it lists them all; docs/errors.md has every explanation.

    {dusty} explain D012""",
    "impact": """\
Compares the specs of a commit with those of another, or with the folder as it is. For each bundle, and for all of them
together, it lists what the next `up` does for everyone who runs the base, each change with its cause and place, and which
personal settings would stop having an effect. Only what HEAD changed since it branched off the base counts; the default base
is the remote's main branch. Needs no Docker, root, network or settings.

    {dusty} impact
    {dusty} impact origin/main --markdown
    {dusty} impact v1..v2 --json""",
    "trust": """\
Specs come from a repo that others change, and `up` runs what they say. Most need only containers of their own. Anything
beyond that is a power: `privileged`; the network, processes, devices and folders of the Docker host; the engine's socket;
or files on this machine outside the specs, the repos of the stack, /persist and the assets. Each must be allowed once on this
machine: on a terminal, `up` shows what is new since you last agreed, with the commit that introduced it, and asks. Elsewhere
it stops with exit code 1 and names the command to run. `--yes` does not allow powers.

With a digest, `allow` refuses if the specs now ask for something else.

With the setting `https`, certificates come from an authority that `up` creates for your DUSTY_HOME. It can sign only for
local names, such as those below .test, and for names that you allowed. `install` adds it to the stores of this system, Java,
Chromium and Firefox; `uninstall` removes it from them. Both show their commands and ask first; `status` shows which stores
have it. Before the first `up`, `install` creates the authority; a hosts section that is due is written with the same sudo.

    {dusty} trust specs list
    {dusty} trust specs allow 4f2a91c0d3e57b68
    {dusty} trust specs revoke
    {dusty} trust install""",
    "init": """\
Looks at the folder that you are in and writes a first bundle, an app, and a service for each database that the code has a
driver for. A Compose file is imported as `{dusty} import` does it. Otherwise a Dockerfile is built, and the port that it
exposes forwarded; otherwise the language decides: Ruby, PHP, Java, Go, Python, Node or static pages. docs/import.md says
what each becomes.

It shows all that it would write before it asks, and never replaces a file: where there are specs, it names them and exits
with 1. Without a terminal, pass --yes. After a Compose file the exit codes are those of `{dusty} import`.

    {dusty} init
    {dusty} init --yes --name shop --host-name shop.test --port 3000
    {dusty} init --image python:3.12 --command "exec python serve.py\"""",
    "import": """\
Reads Compose files (without -f, those in this folder) as Compose does, and writes specs: a service whose code is in a git
checkout becomes an app, any other becomes a service; profiles become bundles, and variables go to vars.yml. It reports what
became of every key, then proves it: it compiles what it would write, and compares that with the Compose files.
docs/import.md has the rules. It needs no engine.

It exits with 10 if something is lost, and with 3 if the proof fails; then nothing is written. A file that exists and differs
is replaced only if you agree. Nothing is taken from your shell's environment, and values that look like secrets are not
written anywhere.

    {dusty} import -f compose.yml -f compose.dev.yml --into ../specs
    {dusty} import --own web=github.com/org/web:/srv
    {dusty} import --check""",
    "trace": """\
Takes a line of the hosts section, the nginx config, the Compose file or a command file, or a key of the Compose file.

    {dusty} trace build/nginx/dustyNginx.conf:12
    {dusty} trace docker-compose.yml:services.web.image""",
    "setup": """\
On a terminal it asks for what you did not give; elsewhere it keeps what is configured. You can run it again at any time. It
shows the sudo helper and its rule before installing them, and offers the link in ~/.local/bin and the completion.

    {dusty} setup --specs-repo github.com/my-team/specs --yes""",
    "hosts": """\
The helper is the only part of Dusty that runs as root: it replaces one marked section of the hosts file, and nothing else.
`install` shows what goes where, and asks. Without it: `{dusty} config set hosts.mode off`, and add the section by hand.

`show` prints the compiled section, `diff` what it would change in the hosts file; `apply` writes it now, even if you
declined before, and from then on `up` maintains it; `undo` restores the previous section until the next `{dusty} up`;
`check` tests the helper and its rule.

If a line of your own maps a name elsewhere, that line wins: the name is left out of the section and reported with both lines,
and `up` exits with 1 until that line is gone or the app has another host_name.""",
    "start": """\
Waits for up to host.wait seconds (a setting), saying what it waits for; then prints facts about the engine. With --shell, it
opens a login shell on the Docker host instead.""",
    "shutdown": "If Dusty cannot stop the Docker host (this machine, or one without a stop command), it stops only containers.",
    "disk": """\
`cleanup_…` lists what it would remove, which is only what Dusty created, and asks. `backup` writes one archive with a
manifest and checksums; `restore` refuses a damaged archive before it touches anything. If a restore is killed, either
nothing has changed, or `doctor` reports it and `up` refuses to start containers on it; then `restore` without an archive
finishes it.

`adopt` lets the data of a former stack go on: a copy of a named volume, or of a folder of the Docker host, takes the place of
what a service keeps. It asks, stops the service, and starts it again. The source is only read, and must not be in use; what
the copy replaces is kept as the snapshot before-adopt. If the service keeps data in several places, SERVICE:PATH says which,
by its path in the container.

    {dusty} disk cleanup_images
    {dusty} disk backup ~/backups
    {dusty} disk adopt shop_db-data db""",
    "data": """\
A snapshot holds what services (and apps) keep: their folders below /persist and their named volumes. It is kept on the
Docker host, in persist/.snapshots. Where the file system has reflinks (btrfs, XFS, ZFS), it shares blocks with the original,
and takes a moment and hardly any space; elsewhere it is a full copy. `save` says which, and how long it took. Without names,
it saves everything that keeps data.

`save` pauses the containers that write there while it copies, or stops them with --stop; they resume even if the command is
killed. A snapshot is either complete or does not exist. The setting data.keep limits the space that all of them take.

`restore` asks, stops those containers, replaces the data, starts them and waits until they are ready. It keeps what it
replaced as before-restore until then, and longer if one of them does not become ready. If it is killed, either nothing has
changed, or `{dusty} up` refuses to start containers until `{dusty} data restore` has finished it. `reset` asks, empties the
data and removes the containers; it, too, keeps what was there as before-restore, until the next restore or reset.

    {dusty} data save before-migration db
    {dusty} data restore before-migration
    {dusty} data reset db && {dusty} up""",
    "dump": """\
Without a path, the archive goes to DUSTY_HOME/dumps; a path is an existing folder, or a file in one. Values of variables,
assets, passwords in URLs, tokens and the home folder are left out.""",
    "uninstall": """\
Lists the worlds, containers, networks, images, hosts section, helper and rule, link and completion, and asks before removing
them.""",
    "completion": """\
The first `up` and `setup` offer to install it. `{dusty} completion install` asks, then does so for your shell or the one you
name; `{dusty} uninstall` removes it. To do it by hand:

    bash    source <({dusty} completion bash)   in ~/.bashrc
    zsh     source <({dusty} completion zsh)    in ~/.zshrc, after compinit
    fish    {dusty} completion fish > ~/.config/fish/completions/dusty.fish""",
    "agent": """\
Shows what it would write to the repo of the current folder or of a path, asks, and writes it: the registration of the MCP
server (.mcp.json; also .cursor/mcp.json and .vscode/mcp.json where those folders exist), and a section of AGENTS.md that
tells agents how to find what is wrong. It keeps other servers and other text. `{dusty} agent undo` removes what was written.

    {dusty} agent init
    {dusty} agent init ~/src/shop --allow changes
    {dusty} agent undo""",
    "mcp": """\
Agents start it (one line in their settings) and talk to it with the Model Context Protocol. Its tools are commands: status,
plan, why, timeline, logs, trace, validate, explain, urls, wait, lookup and impact, which change nothing; with --allow changes
also up, restart, sync, test and scripts. None runs a command of the agent's own. They return what --json prints, marked as
data, with control characters escaped, and cut to 2,000 characters unless the agent asks for more.

It needs the Python package mcp (the extra `dusty[mcp]`). In a checkout, the first start in a terminal asks, then installs it.

    {dusty} mcp
    {dusty} mcp --allow changes""",
}
"""By verb; in docs/verbs.md it is Markdown, on a terminal paragraphs are refilled and examples stand as they are."""
