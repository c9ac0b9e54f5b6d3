# Sourced by infra/up, down, status, test and build: where things are, which ports they have, and the programs of the demo.
root=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
program="infra/$(basename "$0")"
. "$root/infra/stack/common.sh"
# What is secret gets its own mode; the servers' users must reach their folders, and a build is anyone's.
umask 022

local=$root/.local
stack=$root/infra/stack
me=$(id -un 2>/dev/null || id -u)
robots=(amr-01 amr-02 replay-01)
bucket=edgecloud
prefix=recordings

portal_port=${EDGECLOUD_PORTAL_PORT:-8400}
postgres_port=${EDGECLOUD_POSTGRES_PORT:-15432}
mqtt_port=${EDGECLOUD_MQTT_PORT:-18883}
s3_port=${EDGECLOUD_S3_PORT:-19000}

mkdir -p "$local"

# step NAME begins a line of progress, done_with RESULT ends it.
step() { printf '  %-14s' "$1"; }
done_with() { printf '%s\n' "$*"; }

stop_programs() {
  local robot
  for robot in "${robots[@]}"; do
    terminate "$local/agents/$robot" agent 30 &
  done
  terminate "$local/controlplane" controlplane 30 &
  wait
}

stop_servers() { # [--wipe]
  local server
  for server in radosgw mosquitto postgres; do
    [ ! -d "$local/$server" ] || "$stack/$server" stop --dir "$local/$server" "$@" &
  done
  wait
}
