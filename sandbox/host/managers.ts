import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Service managers that this machine may lack, over the sandbox host's own supervisor: commands that say what the real
 * ones say (systemd 252, launchd of macOS 14, Docker 20.10) and do what they do to the one service they know, `zot`.
 */
export class FakeManagers {
  readonly directory: string;

  /** @param host directory of the sandbox host */
  constructor(host: string) {
    this.directory = join(host, "managers");
    mkdirSync(this.directory);
    for (const [name, script] of Object.entries(SCRIPTS)) {
      const head = `#!/bin/sh\nhost=${host}\nprintf '%s\\n' "${name} $*" >>${this.directory}/calls\n${COMMON}`;
      writeFileSync(join(this.directory, name), `${head}${script}`, { mode: 0o755 });
    }
    // What podman 4.3.1 says otherwise.
    const podman = readFileSync(join(this.directory, "docker"), "utf8")
      .replace("Error: No such object: $last", 'Error: inspecting object: no such object: \\"$last\\"')
      .replace("exit 1;", "exit 125;")
      .replace("sha256:", "");
    writeFileSync(join(this.directory, "podman"), podman, { mode: 0o755 });
  }

  /** What was asked of the managers so far. */
  calls(): string[] {
    return readFileSync(join(this.directory, "calls"), "utf8").split("\n").slice(0, -1);
  }
}

const COMMON = `
ctl() { sh $host/zotctl.sh "$@"; }
pid=$(ctl status) || pid=''
`;

const SCRIPTS = {
  sudo: `
[ "$1" = -n ] && shift
exec "$@"
`,
  systemctl: `
[ "$1" = --user ] && shift
for unit in "$@"; do :; done
if [ "$1" = show ]; then
  # The order is systemd's own, not that of the options.
  if [ "$unit" != zot ]; then printf 'MainPID=0\\nLoadState=not-found\\nActiveState=inactive\\nSubState=dead\\n'
  elif [ -n "$pid" ]; then printf 'MainPID=%s\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\n' "$pid"
  else printf 'MainPID=0\\nLoadState=loaded\\nActiveState=inactive\\nSubState=dead\\n'
  fi
elif [ "$1" = reset-failed ]; then rm -f $host/crashed
elif [ "$1" = restart ]; then
  # As after a start limit: five starts within ten seconds. The words are those of a real one (agent-systemd.test.ts).
  [ ! -f $host/crashed ] || { echo 'Job for zot.service failed because the control process exited with error code.' >&2; exit 1; }
  touch $host/crashed
  ctl stop && ctl start
elif [ "$1" = stop ]; then ctl stop
fi
`,
  journalctl: "exec tail -n 40 $host/service.log\n",
  // The layout of print: github.com/boxen/puppet-boxen/issues/104. That bootstrap says 5 while the job that was just
  // booted out drains: github.com/tomcounsell/ai/issues/2013; its words: DeterminateSystems/nix-installer/issues/1157.
  launchctl: `
find() {
  [ "$1" = gui/$(id -u)/zot ] && [ ! -f $host/unloaded ] && return
  printf 'Bad request.\\nCould not find service "%s" in domain for user gui: %s\\n' "\${1##*/}" "$(id -u)" >&2
  exit 113
}
case $1 in
print)
  find "$2"
  if [ -n "$pid" ]; then active=1 state=running; else active=0 state='not running'; fi
  printf '%s = {\\n\\tactive count = %s\\n\\tpath = %s\\n' "$2" $active $host/Library/LaunchAgents/zot.plist
  printf '\\ttype = LaunchAgent\\n\\tstate = %s\\n\\n\\tprogram = %s\\n' "$state" $host/zot
  printf '\\targuments = {\\n\\t\\t%s\\n\\t\\tserve\\n\\t}\\n\\n' $host/zot
  printf '\\tstdout path = %s\\n\\tstderr path = %s\\n' $host/service.log $host/service.log
  printf '\\tenvironment = {\\n\\t\\tXPC_SERVICE_NAME => zot\\n\\t}\\n\\n\\tdomain = gui/%s\\n' "$(id -u)"
  printf '\\tminimum runtime = 10\\n\\texit timeout = 5\\n\\truns = 3\\n'
  [ -z "$pid" ] || printf '\\tpid = %s\\n\\timmediate reason = inefficient\\n' "$pid"
  printf '\\tlast exit code = 1\\n\\n\\tpid-local endpoints = {\\n\\t}\\n}\\n'
  ;;
kickstart) find "$3"; ctl stop && ctl start ;;
bootout) find "$2"; ctl stop && echo 2 >$host/draining && touch $host/unloaded ;;
bootstrap)
  left=$(cat $host/draining 2>/dev/null || echo 0)
  if [ "$left" -gt 0 ]; then
    echo $((left - 1)) >$host/draining
    printf 'Bootstrap failed: 5: Input/output error\\nTry re-running the command as root for richer errors.\\n' >&2
    exit 5
  fi
  rm -f $host/unloaded
  ctl start
  ;;
esac
`,
  docker: `
for last in "$@"; do :; done
case $1 in
inspect)
  [ "$last" = zot ] || { echo "Error: No such object: $last" >&2; exit 1; }
  case $3 in
  *Image*) echo sha256:5f1c ;;
  *NetworkMode*) cat $host/network 2>/dev/null || echo 'host {}' ;;
  *) if [ -n "$pid" ]; then echo "running $pid"; else echo "exited 0"; fi ;;
  esac
  ;;
exec)
  [ -n "$pid" ] || { echo "Error response from daemon: Container 5f1c is not running" >&2; exit 1; }
  shift 2
  exec "$@"
  ;;
run)
  case "$*:$pid" in *container:zot*:) echo 'docker: cannot join network of a non running container: 5f1c.' >&2; exit 125 ;; esac
  while [ "$1" != --entrypoint ]; do shift; done
  command=$2
  shift 3
  # How curl ends there, for what the container's network and image hold.
  [ "$command" != /usr/bin/env ] || [ ! -f $host/curl-ends ] || { echo 'curl: of the container' >&2; exit "$(cat $host/curl-ends)"; }
  exec "$command" "$@"
  ;;
restart) ctl stop && ctl start && echo zot ;;
stop) ctl stop && echo zot ;;
logs) exec tail -n 40 $host/service.log ;;
esac
`,
};
