#!/bin/sh
# Boots a systemd of its own, given fresh mount, PID, UTS, IPC and cgroup namespaces (see systemd.ts):
#
#   sh systemd-boot.sh DIRECTORY PROJECT
#
# It sees this machine's files read-only, PROJECT also where it lies in /tmp, and can write nothing but DIRECTORY and what
# lies in memory. Where DIRECTORY holds sudoers, it has the /etc of own-etc.sh. Of units it knows only those in
# DIRECTORY/units: Debian's own would, among other things, empty /tmp.
set -eu
directory=$1
project=$2
new=$directory/root
mount --make-rprivate /
mkdir -p "$new"
mount --bind / "$new"
mount -o remount,bind,ro "$new"
for name in run tmp dev sys; do mount -t tmpfs -o mode=755 tmpfs "$new/$name"; done
mkdir -p "$new$directory" "$new/sys/fs/cgroup" "$new/run/user/0"
mount --bind "$directory" "$new$directory"
if [ ! -d "$new$project" ]; then
  mkdir -p "$new$project"
  mount --bind "$project" "$new$project"
  mount -o remount,bind,ro "$new$project"
fi
[ ! -f "$directory/sudoers" ] || sh "$project/sandbox/host/own-etc.sh" "$directory" "$new/etc"
mount -t proc proc "$new/proc"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
for name in null zero full random urandom; do
  : >"$new/dev/$name"
  mount --bind "/dev/$name" "$new/dev/$name"
done
# Nobody looks at the console.
: >"$new/dev/console"
mount --bind /dev/null "$new/dev/console"
ln -s /proc/self/fd "$new/dev/fd"
exec chroot "$new" env -i container=harden-zot PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH="$directory/units" \
  /lib/systemd/systemd --system --unit=sandbox.target --log-target=journal --log-level=notice --show-status=0
