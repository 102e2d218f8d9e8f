# shellcheck shell=bash
# What up, down and load-image share. Sourced, never run.
#
# DIR/pids holds "unshare PID" and, once the node runs, "init PID", both as the machine counts. A process is known by its pid
# and by its arguments, so that a pid which the kernel has given to somebody else since is never taken for ours.

say() { printf '%s\n' "$*" >&2; }
die() { say "cluster/$(basename "$0"): $*"; exit 1; }

pid_of() { # DIR NAME: prints the pid where that process of DIR's node is alive, or fails
  local pid
  pid=$(awk -v name="$2" '$1 == name { print $2 }' "$1/pids" 2> /dev/null) && [ -n "$pid" ] || return 1
  case $(ps -ww -o args= -p "$pid" 2> /dev/null) in
    *"/cluster/init $1") echo "$pid" ;;
    *) return 1 ;;
  esac
}
