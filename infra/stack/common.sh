# Sourced by the scripts of this folder and by infra/lib.sh: how a process is started, watched and stopped, whatever it is.
#
# A server has one folder (--dir) that holds everything of it: data, configuration, logs, credentials and, per process,
# NAME.pid ("pid start-time", so that a reused pid is never taken for ours). As root a server runs as its package's user, otherwise as
# whoever called. Every wait has a condition and a deadline. Errors are one line and say what to do.
set -euo pipefail
umask 077
program=${program:-infra/stack/$(basename "$0")}

die() { printf '%s: %s\n' "$program" "$*" >&2; exit 1; }

# need COMMAND PACKAGE: a command of a Debian package.
need() {
  command -v "$1" >/dev/null || die "$1 is missing; install it: sudo apt-get install --no-install-recommends $2"
}

is_root() { [ "$(id -u)" = 0 ]; }

# server_user PACKAGE_USER: as whom the server runs.
server_user() { if is_root; then echo "$1"; else id -un; fi; }

# as USER COMMAND...: replaces this (sub)shell by the command, run as the user.
as() {
  local user=$1
  shift
  if is_root && [ "$user" != root ]; then
    exec setpriv --reuid "$user" --regid "$user" --init-groups --reset-env -- env "PATH=$PATH" LC_ALL=C.UTF-8 "$@"
  fi
  exec env LC_ALL=C.UTF-8 "$@"
}

# prepare_dir USER: makes $dir, owned by the user. Where the user cannot reach it (a clone below /root), it becomes a link to a folder
# below /var/lib/edgecloud-local. Afterwards $dir is the real folder.
prepare_dir() {
  local user=$1 real
  (umask 022 && mkdir -p "$(dirname "$dir")") && mkdir -p "$dir" || die "cannot create $dir"
  if is_root; then
    chown "$user:" "$dir"
    if ! (cd / && as "$user" test -x "$dir/." 2>/dev/null); then
      rmdir "$dir" 2>/dev/null || die "the user $user cannot reach $dir any more; let it enter the folders above"
      real="/var/lib/edgecloud-local/$(printf %s "$dir" | sha256sum | cut -c1-12)-$(basename "$dir")"
      (umask 022 && mkdir -p /var/lib/edgecloud-local) && mkdir -p "$real"
      chown "$user:" "$real"
      ln -s "$real" "$dir"
    fi
  fi
  dir=$(realpath "$dir")
}

# wipe_dir: removes the folder, also where prepare_dir made it a link.
wipe_dir() { rm -rf "$dir" "$asked_dir"; }

start_time() { awk '{ sub(/.*\) /, ""); if ($1 !~ /[ZX]/) print $20 }' "/proc/$1/stat" 2>/dev/null; }

# alive DIR NAME: true while the process that launch started is there; sets $pid.
alive() {
  local began
  pid=
  read -r pid began 2>/dev/null <"$1/$2.pid" || return 1
  [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ]
}

# launch DIR NAME USER COMMAND...: starts a process that outlives this script; output goes to DIR/NAME.log, of which the last one is kept.
launch() {
  local dir=$1 name=$2 user=$3
  shift 3
  [ ! -s "$dir/$name.log" ] || mv "$dir/$name.log" "$dir/$name.log.1"
  (cd "$dir" && as "$user" setsid "$@") </dev/null >>"$dir/$name.log" 2>&1 8>&- 9>&- &
  echo "$! $(start_time $!)" >"$dir/$name.pid"
}

# last_words LOG: the end of a log as one line.
last_words() { tail -n 3 "$1" 2>/dev/null | tr '\n' ' ' | cut -c1-400; }

# wait_ready SECONDS DIR NAME WHAT COMMAND...: waits until the command succeeds; fails as soon as the process is gone.
wait_ready() {
  local deadline=$((SECONDS + $1)) dir=$2 name=$3 what=$4
  shift 4
  until "$@" >/dev/null 2>&1; do
    alive "$dir" "$name" || die "$what stopped while starting; see $dir/$name.log: $(last_words "$dir/$name.log")"
    [ $SECONDS -lt $deadline ] || die "$what is not ready after its deadline; see $dir/$name.log: $(last_words "$dir/$name.log")"
    sleep 0.05
  done
}

# terminate DIR NAME SECONDS [SIGNAL]: asks the process to end and waits; after the deadline it is killed.
terminate() {
  local dir=$1 name=$2 deadline=$((SECONDS + $3)) pid
  alive "$dir" "$name" || { rm -f "$dir/$name.pid"; return 0; }
  kill "-${4:-TERM}" "$pid" 2>/dev/null || true
  while alive "$dir" "$name"; do
    [ $SECONDS -lt $deadline ] || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.05
  done
  rm -f "$dir/$name.pid"
}

# stop_with_owner DIR OWNER: stops and removes the server when the process OWNER is gone, however it went.
stop_with_owner() {
  [ -n "$2" ] || return 0
  (cd / && setsid bash -c 'tail --pid="$1" -f /dev/null; exec "$2" stop --dir "$3" --wipe' _ "$2" "$(realpath "$0")" "$1") \
    </dev/null >/dev/null 2>&1 8>&- 9>&- &
}

# listeners PORT: socket inodes that listen on the TCP port.
listeners() {
  local hex
  printf -v hex '%04X' "$1"
  awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# listening PORT: true when someone listens there.
listening() { [ -n "$(listeners "$1")" ]; }

# port_holder PORT: who listens there, in words.
port_holder() {
  local inode fd pid
  for inode in $(listeners "$1"); do
    fd=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2>/dev/null || true)
    [ -n "$fd" ] || continue
    pid=${fd#/proc/} pid=${pid%%/*}
    echo "$(cat "/proc/$pid/comm") (pid $pid)"
    return 0
  done
  echo "a process of another user"
}

# claim_port PORT WHAT: the port, when it is free; a free one for 0 (below the range from which the kernel takes ports by itself).
claim_port() {
  local port=$1
  if [ "$port" = 0 ]; then
    for _ in {1..200}; do
      port=$((20000 + (RANDOM << 15 | RANDOM) % 12000))
      listening "$port" || { echo "$port"; return 0; }
    done
    die "no free port was found for $2"
  fi
  ! listening "$port" || die "port $port, meant for $2, is taken by $(port_holder "$port"); stop that or choose another port"
  echo "$port"
}

random_secret() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# parse ARGUMENTS...: options into the variables that the script declared in `declare -A opt`, the rest into `rest`.
parse() {
  rest=()
  while [ $# -gt 0 ]; do
    case $1 in
      --*)
        local key=${1#--}
        [ -n "${opt[$key]+known}" ] || die "unknown option $1; see the head of this script"
        if [ "${opt[$key]}" = false ] || [ "${opt[$key]}" = true ]; then
          opt[$key]=true
        else
          [ $# -ge 2 ] || die "$1 needs a value"
          opt[$key]=$2
          shift
        fi
        ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
  [ -n "${opt[dir]}" ] || die "--dir DIR is needed: the server's folder"
  asked_dir=$(realpath -ms "${opt[dir]}")
  dir=$(realpath -m "$asked_dir")
}
