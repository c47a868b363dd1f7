#!/bin/sh
# in-image.sh ROOT SHARED OWN COMMAND...: makes ROOT what a container sees, read-only but for what a task lays
# over it (the folder of its sockets, one of its own), then runs the command. In a mount namespace of its own: nothing is left of it.
set -eu
root=$1 shared=$2 own=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
mount --bind "$shared" "$root/run/tokenmesh"
if [ -d "$root/run/sidecar" ]; then
  mount --bind "$own" "$root/run/sidecar"
fi
mount -o remount,ro,bind "$root"
exec "$@"
