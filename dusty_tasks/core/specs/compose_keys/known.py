"""Which keys of Compose there are, which of them Dusty sets itself or refuses, and what to write instead. Pure."""

from __future__ import annotations

from dusty_tasks.core.text.namespace import IN_SPECS

KNOWN_KEYS = frozenset(
    """
    annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count
    cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy
    develop device_cgroup_rules devices dns dns_opt dns_search dockerfile domainname entrypoint env_file environment expose
    extends external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation label_file labels links
    log_driver log_opt logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models net network_mode
    networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider
    pull_policy pull_refresh_after read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period
    stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volume_driver volumes volumes_from
    working_dir""".split()
)
"""What some Compose version knows; held equal to schemas/compose.json by a test."""

OWN_TARGETS = {
    "app": ("/cp", "/command_files", "/dusty_assets"),
    "suite": ("/cp", "/command_files", "/dusty_assets"),
    "service": ("/cp",),
}
"""Where Dusty mounts something itself, by role."""

IGNORED_IN_APPS = {
    "container_name": f"Dusty names containers {IN_SPECS.container('<name>')}",
    "image": "write it beside compose",
    "build": "write it beside compose",
    "entrypoint": "write commands.always",
    "command": "write commands.always",
    "user": "apps run as root",
    "links": "write depends",
    "depends_on": "write depends",
    "image_requires_login": "write it beside compose",
}
"""Keys that apps cannot set, with the hint."""

OF_THE_PROCESS = ("command", "entrypoint", "user")
"""Those of them that an app without commands may set: nothing of Dusty's runs in it."""

IGNORED_BY_ROLE: dict[str, dict[str, str]] = {
    "app": IGNORED_IN_APPS,
    "suite": {
        **IGNORED_IN_APPS,
        "dockerfile": "a test image is built from the Dockerfile of test.build",
        "command": "write the suite's command",
        "entrypoint": "write the suite's command",
        "links": "write the suite's services",
        "depends_on": "write the suite's services",
        "net": "tests share one network with their services",
        "network_mode": "tests share one network with their services",
        "networks": "tests share one network with their services",
    },
    "service": {"container_name": IGNORED_IN_APPS["container_name"]},
}

REFUSED = {
    "extends": (
        "extends goes at the top of a spec, not among its Compose keys",
        "extends: <another spec of this kind>",
    ),
    "profiles": ("profiles are not supported: bundles switch containers", "put the container into a bundle of its own"),
}
"""Keys that no role may set: what to say, and the hint."""
REFUSED_FILES = {
    "secrets": {
        "app": "use an asset: a file that each person sets",
        "suite": "use an asset: a file that each person sets",
        "service": "use an asset, a file that each person sets, or a secret variable in environment",
    },
    "configs": {
        "app": "use an asset, or a file of the repo",
        "suite": "use an asset, or a file of the repo",
        "service": "a volume with a file of the specs repo (./conf/file:/path), or an asset",
    },
}
"""What Compose declares at its top level, by what a person may write instead in each role."""
BESIDE_COMPOSE = ("assets", "data", "host_forwarding", "job", "world")
"""Keys of Dusty that stand in services among those of Compose."""
KEYS_OF_APPS = {
    "compose": "a service is all Compose: write its keys at the top",
    "commands": "an app has commands; in a service write command",
    "conditional_links": "an app has conditional_links; in a service write depends_on",
    "depends": "an app has depends; in a service write depends_on",
    "mount": "an app has a mount; in a service write volumes",
    "repo": "an app has a repo",
    "scripts": "an app has scripts",
    "test": "an app or lib has tests",
}
"""Keys of apps that are no keys of Compose, with what a person may have wanted."""
