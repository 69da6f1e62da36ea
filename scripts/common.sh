# shellcheck shell=bash
# scripts/common.sh: sourced by the others; strict mode, the repository's root as current folder, two helpers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How many compilers fit: one a core, but at most one for each 2 GB of memory that is free now.
jobs() {
  local cores memory_kb=8000000
  cores=$(nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 1)
  if [ -r /proc/meminfo ]; then memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo); fi
  if [ -r /sys/fs/cgroup/memory.max ] && [ "$(cat /sys/fs/cgroup/memory.max)" != max ]; then
    local limit_kb=$(($(cat /sys/fs/cgroup/memory.max) / 1024))
    if [ "$limit_kb" -lt "$memory_kb" ]; then memory_kb=$limit_kb; fi
  fi
  local fit=$((memory_kb / 2000000))
  if [ "$fit" -gt "$cores" ]; then fit=$cores; fi
  if [ "$fit" -lt 1 ]; then fit=1; fi
  echo "$fit"
}

# A folder that goes away when the script ends: work=$(temporary) would lose the trap, so it sets $work.
temporary() {
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
}
