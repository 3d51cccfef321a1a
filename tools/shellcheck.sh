#!/bin/sh
# Runs shellcheck over every shell script that git knows; installs it from Debian where that is possible.
set -eu
if ! command -v shellcheck >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get install -y --no-install-recommends shellcheck >/dev/null 2>&1 ||
      { apt-get update >/dev/null && apt-get install -y --no-install-recommends shellcheck >/dev/null; }
  else
    echo "shellcheck is missing: install it with your package manager" >&2
    exit 1
  fi
fi
git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
