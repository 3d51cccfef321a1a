#!/bin/sh
# Hardens a zot registry by one of the playbooks beside this, which docs/benchmarks.md measures against. Takes python3 >= 3.11
# with venv; ansible-core goes into the cache directory, once.
#
#   sh bench/ansible/run.sh usual|careful INVENTORY [FLAGS OF ansible-playbook]
#
# INVENTORY has the host, as `registry`, how Ansible reaches it, and these variables: config_directory, secrets_directory, zot,
# start_command, stop_command, listen_address, listen_port, registry_url, wait_seconds, zot_config (the whole of config.json),
# oidc_credentials, session_keys.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$1 inventory=$2
shift 2
pins=$(cat "$here/requirements.txt" "$here/constraints.txt" | cksum | cut -d ' ' -f 1)
environment=${XDG_CACHE_HOME:-$HOME/.cache}/harden-zot/ansible-$pins
if [ ! -e "$environment/bin/ansible-playbook" ]; then
  python3 -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --requirement "$here/requirements.txt" --constraint "$here/constraints.txt"
fi
ANSIBLE_CONFIG=$here/$name.cfg exec "$environment/bin/ansible-playbook" -i "$inventory" "$@" "$here/$name.yml"
