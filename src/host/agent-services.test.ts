import { describe, expect, it } from "vitest";
import { agentFunctions, type Row } from "../../sandbox/host/agent-functions";

const { prints, run } = agentFunctions();

describe("the service that is asked for", () => {
  const set = (words: string) => `service=${words}; set_up_service; echo "$manager $unit [$as_root] [$user]"`;
  prints([
    [set("systemd:zot sudo=yes"), "systemd zot [sudo -n] []\n"],
    [set("systemd-user:zot sudo=yes XDG_RUNTIME_DIR=/x"), "systemd zot [] [yes]\n"],
    [
      `unset XDG_RUNTIME_DIR; service=systemd-user:zot; set_up_service; id() { echo 7; }; unset XDG_RUNTIME_DIR; set_up_service; sh -c 'echo $XDG_RUNTIME_DIR'`,
      "/run/user/7\n",
    ],
    [set("launchd:a.b"), "launchd a.b [] []\n"],
    [set("docker:a"), "container a [] []\n"],
    [set("podman:a"), "container a [] []\n"],
    ["stop=''; (set_up_service)", "harden-zot: activate needs stop=\n"],
    ...["systemd:", "docker", "rc:zot", "", "launchd:", "podman:", "systemd-user:"].map(
      (service): Row => [
        `service=${service}; (set_up_service); echo $?`,
        `harden-zot: service=${service}: give systemd:NAME, systemd-user:NAME, launchd:NAME, docker:NAME, podman:NAME or command\n2\n`,
      ],
    ),
    ["told run_words echo a,b,c", "a b c\n= 0\n"],
    ["as_root=echo; (become a b)", "a b\n"],
  ]);

  describe("is changed by commands", () => {
    prints([
      [`told limited sh -c 'echo words; echo more >&2; exit 3'; echo "[$said]"`, "= 3\n[words\nmore]\n"],
      [`told limited true; echo "[$said]"`, "= 0\n[]\n"],
      // No room for its words.
      [`mkdir "$state/said.$$"; told limited sh -c 'echo did >&3' 3>done 2>/dev/null; cat done`, "= 0\ndid\n"],
      [`umask_of_login=0027; told limited sh -c umask; echo "$said"`, "= 0\n0027\n"],
      ["trap '' HUP; limited sh -c 'kill -HUP $$; echo deaf'; echo \"[$said]\"", "[]\n"],
      ['echo in | limited cat; limited cat; echo "[$said]"', "[]\n"],
    ]);

    it("that hang are killed", () => {
      expect(run(`wait=1; told limited sleep 9; echo "$said"; wait $! 2>/dev/null; echo $?`)).toBe(
        "= 1\nit did not come back within 1 s\n137\n",
      );
    });
  });

  describe("by its manager", () => {
    const limited = "limited() { echo limited $*; }; ";
    const state = (tool: string) => `${tool}; service_state; echo "$running [$pid]"`;
    const systemd = "service=systemd:zot; set_up_service; ";
    const shown = (text: string, code = 0) => `${systemd}systemctl() { printf '${text}'; return ${code}; }`;
    const launchd = "service=launchd:zot HOME=$PWD; set_up_service; id() { echo 7; }; ";
    const docker = "service=docker:zot; set_up_service; ";
    prints([
      [
        `${systemd}systemctl() { echo "$*" >asked; }; service_state; cat asked`,
        "show -p LoadState -p ActiveState -p SubState -p MainPID zot\n",
      ],
      [state(shown("MainPID=12\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\n")), "yes [12]\n"],
      [state(shown("MainPID=0\\nLoadState=loaded\\nActiveState=failed\\nSubState=dead\\n")), "no []\n"],
      [state(shown("MainPID=0\\nLoadState=not-found\\nSubState=dead\\n")), "missing []\n"],
      [state(shown("SubState=running\\n", 1)), "refused []\n"],
      [state(shown("sudo: hm\\n")), "refused []\n"],
      [
        `${systemd}${limited}systemd_restart; systemd_stop; user=yes; systemd_restart; systemd_stop`,
        "limited systemctl reset-failed zot\nlimited systemctl restart zot\nlimited systemctl stop zot\nlimited systemctl --user reset-failed zot\nlimited systemctl --user restart zot\nlimited systemctl --user stop zot\n",
      ],
      [
        `${systemd}journalctl() { echo "$*"; }; systemd_log; user=yes; systemd_log`,
        "--unit=zot -n 40 -o cat --no-pager\n--user-unit=zot -n 40 -o cat --no-pager\n",
      ],
      // launchd: in each domain, with and without a process, with and without a plist.
      ...["gui/7", "user/7", "system"].map(
        (domain): Row => [
          `${launchd}launchctl() { [ "$2" = ${domain}/zot ] && printf 'x = {\\n\\tpid = 33\\n\\tpid-local = 4\\n}\\n'; }; service_state; echo "$running $pid $domain"`,
          `yes 33 ${domain}\n`,
        ],
      ),
      [state(`${launchd}launchctl() { echo 'x = {}'; }`), "no []\n"],
      [state(`${launchd}launchctl() { return 113; }`), "missing []\n"],
      [
        state(
          `${launchd}launchctl() { return 113; }; mkdir -p Library/LaunchAgents; : >Library/LaunchAgents/zot.plist`,
        ),
        "no []\n",
      ],
      [state(`${launchd}launchctl() { echo sudo: no >&2; return 1; }`), "refused []\n"],
      [
        `${launchd}${limited}launchctl() { :; }; launchd_restart; launchd_stop`,
        "limited launchctl kickstart -k gui/7/zot\nlimited launchctl bootout gui/7/zot\n",
      ],
      [`${launchd}${limited}launchctl() { return 1; }; told launchd_stop; told launchd_restart`, "= 0\n= 1\n"],
      [
        `${launchd}limited() { echo "$*"; return 5; }; sleep() { echo sleep $1; }; launchctl() { return 1; }; launchd_plist() { printf /Library/LaunchDaemons/zot.plist; }; told launchd_restart`,
        Array(3)
          .fill("launchctl bootstrap system /Library/LaunchDaemons/zot.plist\n")
          .join("sleep 1\n")
          .concat("= 1\n"),
      ],
      [
        `${launchd}${limited}launchctl() { return 1; }; launchd_plist() { printf /l/zot.plist; }; told launchd_restart`,
        "limited launchctl bootstrap gui/7 /l/zot.plist\n= 0\n",
      ],
      [
        `${launchd}echo out >o; echo err >e; launchctl() { printf '\\tstdout path = %s\\n\\tstderr path = %s\\n\\tpath = /no\\n' o e; }; launchd_log`,
        "err\nout\n",
      ],
      [
        `${state(`${docker}docker() { echo "$*" >asked; echo running 12; }`)}; cat asked`,
        "yes [12]\ninspect -f {{.State.Status}} {{.State.Pid}} zot\n",
      ],
      [state(`${docker}docker() { echo exited 0; }`), "no []\n"],
      [state(`${docker}docker() { echo Error: No such object: zot; return 1; }`), "missing []\n"],
      [state(`${docker}docker() { echo no such object zot; return 125; }`), "missing []\n"],
      [state(`${docker}docker() { echo permission denied; return 1; }`), "refused []\n"],
      [
        `${docker}${limited}docker() { echo "$*"; }; container_restart; container_stop; container_log`,
        "limited docker restart zot\nlimited docker stop zot\nlogs --tail 40 zot\n",
      ],
      [state(`become() { [ "$*" = 'is it' ] && echo 12; }`), "yes [12]\n"],
      [state(`become() { printf 'up since\\n12\\n'; }`), "yes [12]\n"],
      [state(`become() { printf 'up 12\\n'; }`), "yes []\n"],
      [state(`become() { echo 12; return 3; }`), "no []\n"],
      [state(`become() { echo sudo: no; return 1; }`), "refused []\n"],
      [`${limited}command_restart; command_stop`, "limited down\nlimited up now\nlimited down\n"],
      [`limited() { echo "$*"; return 4; }; told command_restart`, "down\n= 4\n"],
    ]);
  });

  prints([
    [
      "running=missing unit=z service=docker:z; service_trouble",
      "the service manager does not know z (service=docker:z): correct the host's service setting\n",
    ],
    [
      "id() { echo me; }; running=refused said='a\nb'; service_trouble; running=no; service_trouble",
      "the service manager did not let me ask for command: b (docs/hosts.md has what each manager needs)\n",
    ],
    [
      `command_log() { printf '%s\\n' '{"level":"error","message":"a"}' '{"level":"error","message":"b"}'; }; log_file=$PWD/log; echo '{"level":"fatal","message":"c"}' >log; service_errors; last_error`,
      "a\nb\nc\n: c",
    ],
    ["command_log() { :; }; last_error", ""],
  ]);
});

describe("the file that zot runs with", () => {
  const ps = (args: string) =>
    `ps() { echo '  PID ARGS'; echo '   12 ${args}'; echo ' 112 x serve /112'; }; mkdir -p a; `;
  prints([
    [`${ps("/opt/zot serve /etc/zot.json")}pid=12; served_file`, "/etc/zot.json"],
    [`${ps("/opt/zot serve")}pid=12; served_file`, ""],
    [`${ps("/opt/zot serve /none/zot.json")}pid=12; served_file`, ""],
    [`${ps("/opt/zot serve /etc/zot.json")}pid=''; served_file`, ""],
    [
      `${ps("/opt/zot serve a/c.json")}sleep 9 & pid=$!; ps() { echo "$pid zot serve a/c.json"; }; served_file; kill $pid`,
      "~/a/c.json",
    ],
    [
      `running=yes; served_file() { printf /x/config.json; }; file_trouble`,
      "command runs zot with /x/config.json, and not with ~/config.json: correct the host's configDirectory setting, or have the service run zot serve ~/config.json\n",
    ],
    [`running=yes; : >config.json; served_file() { printf "$PWD/config.json"; }; file_trouble`, ""],
    [
      `running=yes; served_file() { :; }; file_trouble`,
      "command runs, but not from ~/config.json, which is not there: correct the host's configDirectory setting\n",
    ],
    [`running=no; file_trouble`, ""],
    [
      `ln -s x config.json; file_trouble`,
      "~/config.json is a symbolic link, which whoever made it would put back: make it a file of its own\n",
    ],
    [`most_compared=3; echo {} >config.json; found_config; echo {__} >config.json; found_config`, "{}\n"],
    [
      `most_compared=3; echo {} >config.json; found_config; echo; echo {} >config.json; most_compared=2; found_config`,
      "{}\n\n",
    ],
  ]);
});

describe("a container's network", () => {
  const docker = (said: string) => `service=docker:zot; set_up_service; docker() { echo '${said}'; }; `;
  const ports = '{"5000/tcp":[{"HostIp":"","HostPort":"6000"}]}';
  prints([
    [`${docker(`bridge ${ports}`)}look_at_network; echo "[$network] [$shown]"`, "[bridge] [6000]\n"],
    [`${docker("host {}")}look_at_network; echo "[$network] [$shown]"`, "[host] []\n"],
    [`${docker("bridge x")}manager=command; asker=x; look_at_network; echo "[$network$asker]"`, "[]\n"],
    [
      "url=http://1.2.3.4:5000 network=bridge; port_trouble; network=''; port_trouble; network=host; port_trouble; network=container:x; port_trouble",
      "zot listens on 5000 in the container and the host shows no port of it: publish it under the same number (-p 5000:5000)\n".slice(
        0,
        0,
      ),
    ],
    [
      "url=http://127.0.0.1:5000 network=bridge; port_trouble; shown=5000; port_trouble; shown=''; url=https://[::1]:5000; port_trouble",
      "zot listens on 5000 in the container and the host shows no port of it: publish it under the same number (-p 5000:5000)\n".repeat(
        2,
      ),
    ],
    [
      `url=http://127.0.0.1:5000; network=host; port_trouble; network=container:x; port_trouble; network=''; port_trouble`,
      "",
    ],
    [
      `${docker("img")}running=yes network=bridge; set_asker; echo "$asker" | sed 's| -v /[a-z0-9:/]*ro||g'`,
      "docker run --rm --network container:zot --volumes-from zot --entrypoint /usr/bin/env img\n".replace(
        "docker",
        " docker",
      ),
    ],
    [
      `${docker("img")}running=no network=lan as_root='sudo -n'; sudo() { echo img; }; set_asker; echo "$asker" | sed 's| -v /[a-z0-9:/]*ro||g'`,
      "sudo -n docker run --rm --network lan --volumes-from zot --entrypoint /usr/bin/env img\n",
    ],
    [`${docker("img")}asker=''; network=host; set_asker; network=''; set_asker; echo "[$asker]"`, "[]\n"],
    [`${docker("img")}network=lan; docker() { return 1; }; set_asker; echo "[$asker]"`, "[]\n"],
  ]);
});

describe("waiting until zot serves", () => {
  /** One state a look, "running pid ready", the last one for ever; a second passes between two. */
  const serves = (states: string[], old = "1", wait = 60) => `
wait=${wait}; printf '%s\\n' ${states.map((state) => `'${state}'`).join(" ")} >states; echo 0 >clock
service_state() { read -r running pid ready <states; [ "$pid" != - ] || pid=''; [ "$(wc -l <states)" -lt 2 ] || { sed 1d states >rest; mv rest states; }; }
is_ready() { [ "$ready" = 0 ]; }
date() { cat clock; }
nap() { echo $(($(cat clock) + 1)) >clock; }
told serves http://zot ${old}; cat clock`;
  prints([
    [serves(["yes 2 0"]), "= 0\n0\n"],
    [serves(["yes 1 0", "yes 1 0", "yes 2 0"]), "= 0\n2\n"],
    [serves(["yes 1 0"], "1", 5), "= 1\n5\n"],
    [serves(["yes - 0"]), "= 0\n0\n"],
    // Another process than the one that answered.
    [serves(["yes 2 0", "yes 3 0", "yes 3 0"]), "= 0\n1\n"],
    // Two deaths, seen by a gap or by another process id.
    [serves(["yes 2 1", "no - 1", "yes 3 1", "no - 1", "yes 4 0"]), "= 1\n3\n"],
    [serves(["yes 2 1", "yes 3 1", "yes 4 1", "yes 4 0"]), "= 1\n2\n"],
    [serves(["yes 2 1", "no - 1", "yes 3 0"]), "= 0\n2\n"],
    // Held back after one death; without any process at all; a start that takes its time.
    [serves(["yes 2 1", "no - 1"]), "= 1\n3\n"],
    [serves(["no - 1"]), "= 1\n16\n"],
    [serves(["yes 2 1"], "1", 30), "= 1\n30\n"],
    [serves(["yes 2 1", "refused - 1", "yes 2 0"]), "= 0\n2\n"],
  ]);
});
