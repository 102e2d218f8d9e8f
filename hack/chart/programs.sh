# shellcheck shell=bash
# What the checks of the chart share: where it is, how programs are found, how it is rendered. Sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
chart=$root/charts/admittance
fail() { echo "FAILED: $*" >&2; exit 1; }

# need NAME...: puts them on the PATH, pinned where the checkout can build them, else those that the machine has.
need() {
  local folder name
  if [ -x "$root/hack/delivery/build" ] && folder=$("$root/hack/delivery/build" "$@" | tail -n 1); then
    PATH=$folder:$PATH
  fi
  for name in "$@"; do
    command -v "$name" > /dev/null || fail "$name is missing: install it, or Go, so that hack/delivery/build can"
  done
}

render() { # ARGUMENT...
  helm template admittance "$chart" --namespace admittance "$@"
}
