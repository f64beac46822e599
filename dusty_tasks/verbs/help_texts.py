"""What the page of a verb says beyond its one line: for `--help` and docs/verbs.md, and loaded for nothing else.

More than 300 lines: it holds one text a verb.
"""

from __future__ import annotations

DETAILS: dict[str, str] = {
    "up": """\
Before the first change to this machine beside containers (packages, the group docker, the hosts file, a link in ~/.local/bin,
completion) one question lists all of them; --yes answers it. Without a terminal they are left undone, and said at the end.

Fetches the repos, checks and compiles the specs, looks at what is there, and changes only what differs: a container is left
alone, restarted (its code or assets changed, or a file or folder that it mounts was replaced) or recreated (its
image, environment, ports or volumes changed). Every change is printed with its cause. Nothing that runs is stopped before its
replacement compiles and its image is there.

With names only those apps and services are changed, with all that must be started before them, and the proxy if one has a
route. Everything else stays as it is until the next `{dusty} up` without names.

At the end it waits, at most as long as the setting up.wait says, until what it started is ready: a route answers, a health
check passes; what has neither runs for two seconds, or exits with status 0. Anything else is shown with its last lines,
exit code 2; so is one with a route or a health check that exits with 0. What runs and does not answer, or is unhealthy, is
shown with what listens in its container or what its check printed, exit code 1. Both are looked at again by each `{dusty} up`
until they are fixed or changed. A failed build shows the last lines of its step; state/last-build.log holds all of it.

On a terminal the work in progress is shown at the bottom, and stays as a line with its time once it is done; what failed
comes last, and before it the URLs of what is up.""",
    "dev": """\
Does what `{dusty} up` does, then watches the code of the named apps (without names: of all), the specs and config.yml until
^C, which leaves the stack running. A save is sent at once, and its line says what became of it: when it was in the container,
what the container did, and when it served again. What a container does is up to its spec (key `reload`): restart, be
recreated, get a signal, run commands, or nothing. An edit of a lib does this in all apps that mount it.

A saved spec is brought up as `{dusty} up` would do it; one that is broken is reported with its places, and the stack goes on as
it was until the next good save. What cannot be done now (the Docker host is away, its engine is down, a folder is gone) is
said once, and done as soon as it can be. `{dusty} up` and `{dusty} sync` can be used at the same time.

    {dusty} dev
    {dusty} dev web""",
    "stop": """\
Data below /persist and named volumes stay, with --rm too. Containers whose specs are gone can be named as well.

    {dusty} stop
    {dusty} stop --rm web""",
    "sync": """\
One way, from this machine to the Docker host. What is not in the source is deleted there, except mount points, what is
excluded (.git, .dustyignore, the setting sync.exclude) and what the repo's .gitignore files ignore. With the setting
sync.delete `all` that goes too, with `sent` only what an earlier sync sent. Without names: all repos of the stack.

What was created or changed on the Docker host and must go is named, and kept there in persist/.dusty/kept: of each repo
the last ten times, up to 1 GiB. --restore moves the newest of them (or that of a time, as `{dusty} disk` lists them) back
into the copy, where the next sync that has something to send finds it again; --pull fetches a path of the copy, or one that
was kept, into the source instead. It never overwrites what you edited since the last sync. `{dusty} status -v` lists what a
sync would find.

    {dusty} sync --watch web
    {dusty} sync web --why build/out.js
    {dusty} sync web --restore
    {dusty} sync web --pull db/migrate/003.sql""",
    "restart": """\
Restarts the containers as they are; changed specs are applied by `{dusty} up` alone. Without names: all apps; services and
the proxy go on running, unless --all is given. What an app needs and does not run is started before it. With --repo every
argument is a repo.

    {dusty} restart web
    {dusty} restart --repo shared-lib""",
    "test": """\
Without a target: everything that has tests. Without a suite: the suites of the target. `all` runs every suite and ends with a
table. What follows the suite replaces its default arguments, unchanged. Each suite has fresh services of its own, and
never touches the data of the stack; its containers are always removed. Everything in its network is at `localhost`.

The test image holds what `test.once` and the libs' installs did. It is rebuilt when its base, its setup, its mounts or the
commit of a repo in it changed (with `test.inputs`: the files in its own repo that they match), and the cause is said. What a
suite writes to the folder $DUSTY_RESULTS (JUnit files, say) is kept in DUSTY_HOME/test-results/<target>/<suite>.

    {dusty} test web
    {dusty} test web unit -k login
    {dusty} test -n 4 web all                four suites at a time
    {dusty} test --cached web all            only suites whose inputs changed""",
    "scripts": """\
Without a script: their names and descriptions. Arguments reach the script unchanged; it exits with the script's status.

    {dusty} scripts web
    {dusty} scripts web reset --hard""",
    "shell": """\
bash where the container has it, else sh. It exits with the command's status. It has a terminal if stdin, stdout and
stderr all are one; else what it writes arrives byte for byte, stdout and stderr apart. ^C, a closed terminal or a reader
that has gone ends it in the container, too.

    {dusty} shell web
    {dusty} shell web env""",
    "open": "It prints the URL of the app's first http route, and opens it where a browser can be started.",
    "cp": """\
`name:/path` is in a container, running or not; a local path with a colon is written ./a:b. The destination is the path of
the copy itself; a file onto a folder, or to a path that ends in `/`, goes inside. A folder onto a folder merges: same
names are overwritten, nothing else is ever deleted. What is there only while the container runs (a tmpfs, /proc) is read and
written through the running container, which needs `sh` and `tar` for it. `-` is stdin or stdout: a file goes there as it
is, a folder as a tar archive.

    {dusty} cp web:/var/log/app.log .
    {dusty} cp web:/srv/dump.sql.gz - | zcat
    {dusty} cp fixtures web:/srv/fixtures
    {dusty} cp web:/srv/data api:/srv/data""",
    "status": """\
One line for each part of the stack, what needs attention first: the state of its container and for how long, the commit its
code comes from, and then the one thing to know: why it failed, what `{dusty} up` would change, or its URLs. A container is
running, starting, not answering, unhealthy, failed, stopped (by hand), finished (its work is done), paused, created or
absent. Where the Docker host is known to be off, it is off; where it does not answer, nothing is known of it, and status
exits with 2.

With names, or with `-v` for all parts: every detail, and the repos that they use. On a terminal lines are cut to its width;
`-w` takes the whole screen, keeps what needs attention on it, and gives the screen back at the end. `--stats` takes half a
second more.""",
    "wait": """\
For scripts and agents, beside `{dusty} up` or after an edit. Without names it waits for the whole stack, with `--for done` for
all its jobs. It judges as `{dusty} up` does: a part is ready when its routes answer and its health check passes; one that has
neither must have run for two seconds, or have exited with status 0.

It exits with 0 when all are ready, or done, and with 1 after saying of each part that is not why. A part that failed ends the
wait at once, unless a `{dusty} up` is at work; one without a container is waited for. With --json the reasons are in `late`.

    {dusty} wait web && curl http://web.example.test/
    {dusty} wait --for done --timeout 300 migrate""",
    "urls": """\
From what was compiled last; for TCP routes `host:port`. `{dusty} open` opens the first URL of an app in the browser.

    {dusty} urls
    {dusty} urls web""",
    "lookup": """\
What was compiled last: the names of the containers, their URLs and published ports, the folders below persist/ and the
named volumes that hold their data; and of a path (unless given: this folder), which repo of the stack it belongs to, and who
uses that. Nothing is asked of the engine, so it says nothing of what runs: `{dusty} status` and `{dusty} wait` do.

    {dusty} lookup
    {dusty} lookup ~/src/shop --json""",
    "logs": """\
Several containers are merged, each line with the name of its container. Exited containers are included. What they printed
to stderr comes on stderr; `2>&1` brings both into a pipe.

With -f it goes on over restarts and recreations, and tells their causes: `-- api restarted: repo api was synced --`. It ends
when all have exited and none will restart; on a terminal it waits for the next start, until ^C.

    {dusty} logs -f web api
    {dusty} logs --since 10m --tail 100""",
    "timeline": """\
A line that a container printed stands after its name and `|`, what happened after `*`: starts with their causes, ends with
why, health checks that changed state, syncs, each `{dusty} up` with who ran it, a restart of the engine. All times are
those of this machine's clock; the engine's are corrected by the difference. What the engine has forgotten comes from the
journal, which `{dusty} up` and `{dusty} dev` keep on the Docker host. With names it shows these containers, and what
concerns all of the stack.

    {dusty} timeline
    {dusty} timeline -f web redis
    {dusty} timeline --since 1d --tail 20""",
    "plan": """\
Each line has its cause. It is what `{dusty} up --no-pull` would do now, in that order. Of a Docker host that does not answer
nothing is planned, and plan exits with 2; one that is known to be off is reported as off.""",
    "why": """\
First what the last `{dusty} up`, restart or stop did to it, with the cause and its spec line. Then what its container
does now, and where that is not what it should do: why, since when, and its last lines without secrets. What the engine
says comes first (the memory limit, a kill, a stop, a failing health check, a restart policy and its count, an image,
command or port that keeps it from starting, a restart of the engine); then what was printed (a full disk, a missing
command); then what it needs and died before it. `likely` marks the best guess where nothing was recorded; the rest
is said to be unknown.

    {dusty} why web
    {dusty} why --json web""",
    "doctor": """\
One line for each thing: ok, a warning, or failed with the command that fixes it. A container that failed, is unhealthy or
does not answer is among them, and so is a DUSTY_HOME that other users of this machine may read or change. Exits with 1 if
anything failed.""",
    "bundles": """\
A bundle names apps and services that are used together. Several may be active at a time; what they need comes with them.
No container changes until the next `{dusty} up`.

    {dusty} bundles activate shop            one more
    {dusty} bundles activate --only shop     this one alone""",
    "repos": """\
R is a full repo string, an id, or a short name that only one repo has. A managed repo is a clone that Dusty fetches, with its
submodules and LFS files (settings repos.submodules and repos.lfs). It follows its remote, through rewritten histories too,
until there is work of yours in it: then it is left as it is. An overridden one is a folder of yours, which Dusty never
changes.

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

The value of a secret (`secret: true` in vars.yml) is asked for without being shown, or read from what is piped in. It is kept
in a file of mode 0600 below DUSTY_HOME/secrets, and in no history; the list shows `(set)`.

    {dusty} vars
    {dusty} vars set DB_NAME shop_test
    {dusty} vars set DB_PASSWORD
    {dusty} vars unset DB_NAME""",
    "env": """\
They are added to those of the spec, on this machine only. The next `{dusty} up` applies them; it recreates that container.
In a file, blank lines and those with # are skipped; a name alone stands for the value in the environment of `{dusty} up`, and
a value in quotes may have several lines.

    {dusty} env set web DEBUG 1
    {dusty} env set web DEBUG=1 GREETING='good morning'
    {dusty} env set web --file my.env""",
    "assets": """\
`set` keeps a copy of the file as it is now, mode 0600; the next `{dusty} up` or `{dusty} test` sends it to the containers whose
specs declare it, and to no others. `read` prints it.

    {dusty} assets set GITHUB_KEY ~/.ssh/id_ed25519
    {dusty} assets list web""",
    "config": """\
Settings live in config.yml, which may be edited by hand as well. `set` takes a literal, `@file`, or `-` for stdin; lists and
mappings as YAML or JSON. The value is checked before anything changes. Each change, whichever command made it, is kept: `log`
lists them, `undo` reverts the newest one, `undo ID` goes back to before that one.

    {dusty} config set routing network
    {dusty} config set sync.exclude '[node_modules/, "*.log"]'
    {dusty} config set host.daemon @daemon.json""",
    "compile": """\
Needs neither Docker nor root nor the network. Files that are up to date are left alone. With --dry-run it is the check for a
specs repo's CI: every problem at once, each with its file, line and a hint.""",
    "validate": """\
All problems of all specs at once: each with its file, line, column, code, the line itself and a hint. A cause comes
before what it causes. `{dusty} explain CODE` tells more about a code. With a path it needs no settings.

--fix shows what can be fixed safely as a diff and asks: misspelt keys that can mean one thing only, text where a list
of it is needed, numbers in quotes, a missing space after a colon, tabs, Compose keys of an app that belong under
`compose:`, `.yaml` names. Each fix is checked first: its problem must be gone, and no other may come. Everything else
in the file keeps its bytes.

    {dusty} validate ~/src/specs
    {dusty} validate --fix
    {dusty} validate --schema app > app.schema.json""",
    "explain": """\
A code stands at the end of each problem, in brackets. Without a code it lists all of them; docs/errors.md holds all pages.

    {dusty} explain D012""",
    "impact": """\
Compares the specs of a commit with those of another one, or with the folder as it is. For each bundle, and for all of them
together, it lists what the next `up` does to everyone who runs the base, each change with its cause and place, and which
personal settings would no longer have an effect. Only what HEAD changed since it left the base counts; without a base that is
the main branch of the remote. Needs neither Docker nor root, network or settings.

    {dusty} impact
    {dusty} impact origin/main --markdown
    {dusty} impact v1..v2 --json""",
    "trust": """\
Specs come from a repo that others change, and `up` runs what they say. Most need only containers of their own. What goes
beyond that is a power: `privileged`, the network, processes, devices and folders of the Docker host, the engine's socket;
or files of this machine outside the specs, the repos of the stack, /persist and the assets. Each must be allowed once on this
machine: `up` asks on a terminal, and shows what is new since you last agreed, with the commit that brought it. Elsewhere it
stops with exit code 1 and names the command. `--yes` does not allow powers.

With a digest, `allow` refuses if the specs now ask for something else.

    {dusty} trust specs list
    {dusty} trust specs allow 4f2a91c0d3e57b68
    {dusty} trust specs revoke""",
    "trace": """\
A line of the hosts section, the nginx config, the Compose file or a command file, or a key of the Compose file.

    {dusty} trace build/nginx/dustyNginx.conf:12
    {dusty} trace docker-compose.yml:services.web.image""",
    "setup": """\
Asks on a terminal for what is not given; elsewhere it takes what is given, and keeps what is configured. It may be run again.
The sudo helper and its rule are shown before they are installed; the link in ~/.local/bin and the completion are offered.

    {dusty} setup --specs-repo github.com/my-team/specs --yes""",
    "hosts": """\
The helper is the only part of Dusty that runs as root: it replaces one marked section of the hosts file, and nothing else.
`install` shows what goes where, and asks. Without it: `{dusty} config set hosts.mode off`, and add the section by hand.

`show` prints the compiled section, `diff` what it would change in the hosts file; `apply` writes it now, whatever was
answered or refused before, and from then on `up` keeps it; `undo` restores the previous section, until the next
`{dusty} up`; `check` looks at the helper and its rule.

A name that a line of yours maps elsewhere stays yours: it is left out of the section and named with both lines, and `up`
exits with 1 until that line is gone or the app has another host_name.""",
    "start": "Waits as long as the setting host.wait says, saying what for; then prints the engine's own facts.",
    "shutdown": "For a Docker host that Dusty cannot stop (this machine, or one without a stop command) it stops the containers only.",
    "disk": """\
`cleanup_…` lists what it would remove, only what Dusty created, and asks. `backup` writes one archive with a manifest
and checksums; `restore` refuses a damaged one before it touches anything. A killed restore leaves everything as it was, or
`doctor` reports it and `up` refuses to start containers on it: then `restore` without an archive finishes it.

    {dusty} disk cleanup_images
    {dusty} disk backup ~/backups""",
    "dump": """\
Without a path it goes to DUSTY_HOME/dumps; a path is an existing folder, or a file in one. Values of variables, assets,
passwords in URLs, tokens and the home folder are left out.""",
    "uninstall": "It lists the containers, networks, images, hosts section, helper and rule, link and completion, and asks.",
    "completion": """\
The first `up` and `setup` offer to put it in place; by hand:

    bash    source <({dusty} completion bash)   in ~/.bashrc
    zsh     source <({dusty} completion zsh)    in ~/.zshrc, after compinit
    fish    {dusty} completion fish > ~/.config/fish/completions/dusty.fish""",
}
"""By verb; in docs/verbs.md it is Markdown, on a terminal paragraphs are filled anew and examples stand as they are."""
