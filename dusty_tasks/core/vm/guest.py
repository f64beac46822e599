"""The files of ours on the system disk: how the VM starts, what it keeps running, how it ends.

It has SysV init with an inittab of a few lines instead of a whole distribution's services, because under software emulation each
service costs seconds. All that differs from VM to VM comes from the seed, a tar file that is a disk (core/vm/seed).
"""

from __future__ import annotations

from typing import NamedTuple

ADDRESS, GATEWAY, RESOLVER = "10.0.2.15", "10.0.2.2", "10.0.2.3"
"""Of qemu's user-mode network, as its documentation gives them."""
SYSTEM, DATA, SEED = "/dev/vda", "/dev/vdb", "/dev/vdc"
"""The disks, in the order of qemu's command line."""
KEPT = {
    "persist": "/persist",
    "command_files": "/command_files",
    "cp": "/cp",
    "docker": "/var/lib/docker",
}
"""Folder of the data disk -> where the VM shows it: what survives the system disk."""
OURS = "/usr/lib/dusty"
DOWN, SET_CLOCK = f"{OURS}/down", f"{OURS}/set-clock"
ENGINE_LOG = "/var/log/dockerd.log"
SAYS = "dusty: "
"""How a line of ours begins on the console."""


class GuestFile(NamedTuple):
    """A file of the system disk."""

    path: str
    text: str
    mode: int = 0o644


INITTAB = f"""\
id:2:initdefault:
si::sysinit:{OURS}/boot
l0:0:wait:{OURS}/halt
l6:6:wait:{OURS}/halt reboot
ssh:2:respawn:/usr/sbin/sshd -D -e
cd:2:respawn:{OURS}/containerd
dk:2:respawn:{OURS}/engine
ck:2:respawn:{OURS}/clock
S0:2:respawn:/sbin/getty -L ttyS0 115200 vt100
"""

BOOT = f"""\
#!/bin/sh
# Once, at the start. Nothing here may wait for a person.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() {{ echo "{SAYS}$*"; }}

# It is mounted read-only so far. 2: the kernel still has what was mended in memory.
fsck -p {SYSTEM}
[ $? -ne 2 ] || reboot -f
mount -o remount,rw / || say "the system disk is read-only"
mkdir -p /dev/pts /dev/shm /run/sshd /run/lock
mountpoint -q /dev/pts || mount -t devpts -o gid=5,mode=620 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev tmpfs /dev/shm
mount -t tmpfs -o nosuid,nodev tmpfs /tmp
chmod 1777 /dev/shm /tmp
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup

tar -xpf {SEED} -C / || say "the seed cannot be read"
hostname -F /etc/hostname

for module in virtio_net virtio_rng overlay br_netfilter; do modprobe -q "$module"; done
ip link set lo up
for name in $(ls /sys/class/net); do
    [ "$name" = lo ] || break
done
ip link set "$name" up
ip addr add {ADDRESS}/24 dev "$name" && ip route add default via {GATEWAY} || say "there is no network"
echo "nameserver {RESOLVER}" >/etc/resolv.conf

{OURS}/set-clock

fsck -p {DATA}
[ $? -lt 4 ] || fsck -y {DATA} || say "the data disk was repaired, see above"
mkdir -p /data
if mount {DATA} /data; then
    resize2fs {DATA} 2>/dev/null
{"".join(f"    mkdir -p /data/{folder} {shown} && mount --bind /data/{folder} {shown}{chr(10)}" for folder, shown in KEPT.items())}\
    say "the disks are mounted"
else
    say "the data disk cannot be mounted"
fi
"""

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
CONTAINERD_TOML = """\
version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
"""
"""What is disabled is for Kubernetes alone, and slow to start."""

CONTAINERD = f"""\
#!/bin/sh
# A service of its own: the one that dockerd would start has to be ready within 15 seconds, which an emulated processor may not manage.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mountpoint -q /var/lib/docker || exec sleep 3600
exec containerd --config {OURS}/containerd.toml --root /var/lib/docker/containerd/daemon --address {CONTAINERD_SOCKET} \
    >/var/log/containerd.log 2>&1 </dev/null
"""

ENGINE = f"""\
#!/bin/sh
# Kept running by init. A pause, because init gives up what ends at once again and again.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
if ! mountpoint -q /var/lib/docker; then
    echo "{SAYS}the engine does not start without the data disk" >/dev/console
    exec sleep 3600
fi
ulimit -n 1048576
rm -f /var/run/docker.pid
until [ -S {CONTAINERD_SOCKET} ]; do sleep 0.2; done
dockerd --containerd {CONTAINERD_SOCKET} >{ENGINE_LOG} 2>&1 </dev/null &
child=$!
trap 'kill -TERM $child' TERM
wait $child
code=$?
trap '' TERM
wait $child 2>/dev/null
echo "{SAYS}the engine exited with status $code: $(tail -n 1 {ENGINE_LOG})" >/dev/console
sleep 2
"""

SET_CLOCK_SCRIPT = """\
#!/bin/sh
# qemu's real-time clock is the clock of the machine outside. After that slept, or was set, ours is behind.
outside=$(cat /sys/class/rtc/rtc0/since_epoch 2>/dev/null) || exit 0
difference=$((outside - $(date +%s)))
[ "${difference#-}" -lt 2 ] || date -s "@$outside" >/dev/null
"""

CLOCK = f"""\
#!/bin/sh
while sleep 10; do {SET_CLOCK}; done
"""

DOWN_SCRIPT = """\
#!/bin/sh
# Containers get their time to end: init gives the engine three seconds.
ids=$(docker ps -q 2>/dev/null)
[ -z "$ids" ] || docker stop $ids >/dev/null
sync
exec poweroff
"""

HALT = f"""\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo "{SAYS}the VM stops"
kill -TERM -1
sleep 1
kill -KILL -1
sync
umount {" ".join(KEPT.values())} 2>/dev/null
umount /data 2>/dev/null || mount -o remount,ro /data
mount -o remount,ro /
if [ "$1" = reboot ]; then exec reboot -f; fi
exec halt -d -f -p
"""

SSHD = """\
AddressFamily inet
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxSessions 100
MaxStartups 100
PrintMotd no
X11Forwarding no
Subsystem sftp internal-sftp
"""

FILES = (
    GuestFile("/etc/inittab", INITTAB),
    GuestFile("/etc/fstab", f"{SYSTEM} / ext4 defaults 0 1\n"),
    GuestFile("/etc/ssh/sshd_config", SSHD),
    GuestFile(f"{OURS}/boot", BOOT, 0o755),
    GuestFile(f"{OURS}/containerd", CONTAINERD, 0o755),
    GuestFile(f"{OURS}/containerd.toml", CONTAINERD_TOML),
    GuestFile(f"{OURS}/engine", ENGINE, 0o755),
    GuestFile(SET_CLOCK, SET_CLOCK_SCRIPT, 0o755),
    GuestFile(f"{OURS}/clock", CLOCK, 0o755),
    GuestFile(DOWN, DOWN_SCRIPT, 0o755),
    GuestFile(f"{OURS}/halt", HALT, 0o755),
)
