# shellcheck shell=bash
# What up and down share: which processes belong to a control plane's folder. Sourced, never run.
#
# DIR/pids holds one "NAME PID" a line. A process is known by its pid and by the folder in its arguments, so that
# a pid which the kernel has given to somebody else since is never taken for ours.

say() { printf '%s\n' "$*" >&2; }
die() { say "control-plane/$(basename "$0"): $*"; exit 1; }

recorded() { # DIR NAME: prints the pid that DIR/pids has for it, if any
  awk -v name="$2" '$1 == name { print $2 }' "$1/pids"
}

pid_of() { # DIR NAME: prints the pid where that process is alive, or fails
  local pid
  pid=$(recorded "$1" "$2")
  [ -n "$pid" ] && ps -ww -o args= -p "$pid" 2> /dev/null | grep -qF -- "$1/" && echo "$pid"
}

forget() { # DIR NAME
  local rest
  rest=$(awk -v name="$2" '$1 != name' "$1/pids")
  printf '%s' "${rest:+$rest$'\n'}" > "$1/pids"
}
