import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentText } from "./agent-text";

// The agent's functions one by one, without a registry: a tool that they call is a function of the same name here.

const HOME = mkdtempSync(join(tmpdir(), "harden-zot-functions-"));
const FUNCTIONS = join(HOME, "functions.sh");
writeFileSync(FUNCTIONS, agentText().replace(/\nmain "\$@"\nexit\n$/, "\n"));
let laid = 0;

/** What every script finds: words as the program gives them, and a directory of its own with a state in it. */
const PRELUDE = join(HOME, "prelude.sh");
writeFileSync(
  PRELUDE,
  `verb=activate
read_words zot=/opt/zot service=command start=up,now stop=down status=is,it wait=5
state=$PWD/harden-zot config=$PWD/config.json txn=$state/txn log_file='' version=2.1.20
mkdir -p "$txn" "$state/secrets"
set_up_service
pid='' running=no said='' why='' url=http://zot old_url=http://old port=5000 new=new live=live had=yes was=healthy operation=activate
held_owner='' held_life='' secret_files='' issuers='' network='' shown='' original='' mode=restart old_port=5000 old_pid=1 body='' proof=''
guarded=false old_guarded=false domain=''
applied_sha256=live applied_restart=print applied_zot=2.1.20 applied_heal=0 applied_rollback='' restart=print
told() { "$@"; echo "= $?"; }
nap() { :; }
fsync() { :; }
`,
);

/** @returns what the script prints on either stream, with its directory as ~ */
function run(script: string, stdin = ""): string {
  const directory = lay(script);
  execute([directory], stdin);
  return printed(directory);
}

/** A directory of its own for a script. */
function lay(script: string): string {
  const directory = join(HOME, String(laid++));
  mkdirSync(directory);
  writeFileSync(`${directory}.script`, script);
  return directory;
}

/** Each in a subshell of one shell: a process for every one of them would cost ten times as much. */
function execute(directories: string[], input: string): void {
  const all = `. ${FUNCTIONS}\nfor d in "$@"; do (cd "$d" && exec >../\${d##*/}.out 2>&1 && . ${PRELUDE} && . "$d.script"); done`;
  spawnSync("sh", ["-c", all, "sh", ...directories], { input, timeout: 300_000 });
}

function printed(directory: string): string {
  const file = `${directory}.out`;
  return existsSync(file) ? readFileSync(file, "utf8").replaceAll(directory, "~") : "(it did not run)";
}

const tabled: string[] = [];
beforeAll(() => execute(tabled, ""), 310_000);
afterAll(() => rmSync(HOME, { recursive: true }));

type Row = [script: string, printed: string];
const prints = (rows: Row[]) => {
  for (const [script, expected] of rows) {
    const directory = lay(script);
    tabled.push(directory);
    it(script, () => expect(printed(directory)).toBe(expected));
  }
};

describe("words", () => {
  prints([
    ["read_words; echo $heal $wait [$zot$service$owner$last$dir]", "0 60 []\n"],
    ["read_words heal=3 owner=a:b=c last=yes dir=/d; echo $heal $owner $last $dir", "3 a:b=c yes /d\n"],
    [
      "(read_words color=red); echo $?",
      "harden-zot: color=red is not a word this agent knows; see the head of sh\n2\n",
    ],
    ["(read_words zot); echo $?", "harden-zot: zot is not a word this agent knows; see the head of sh\n2\n"],
    ["(read_words 'zot=a;b'); echo $?", "harden-zot: zot=a;b holds a character that is not allowed\n2\n"],
    ["(read_words heal=x); echo $?", "harden-zot: heal= and wait= take whole numbers\n2\n"],
    ["(read_words wait=1.5); echo $?", "harden-zot: heal= and wait= take whole numbers\n2\n"],
    ["(need zot owner); echo $?", "harden-zot: activate needs owner=\n2\n"],
    ["told need zot wait", "= 0\n"],
    ["(die why); echo $?", "harden-zot: why\n1\n"],
  ]);
});

describe("small tools", () => {
  // printf 'a\n' | sha256sum
  const A = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";
  prints([
    [`printf 'a\\n\\n\\n' >c; config_sha256 c`, A],
    [`printf a >c; config_sha256 c`, A],
    ["config_sha256 none 2>/dev/null; echo $?", "1\n"],
    ["told older 2.1.19 2.1.20", "= 0\n"],
    ["told older 2.9.0 2.10.0", "= 0\n"],
    ["told older 1.9.9 2.0.0", "= 0\n"],
    ["told older 2.1.20 2.1.20", "= 1\n"],
    ["told older 2.1.21 2.1.20", "= 1\n"],
    ["told older 10.0.0 9.9.9", "= 1\n"],
    ["quoted ''; quoted a.b:c/d,e-f_1; quoted 'a b'", 'null"a.b:c/d,e-f_1""a b"'],
    [`quoted "$(printf 'a"b\\\\c\\td\\001e\\nf')"`, '"a\\"b\\\\c de f"'],
    [
      "drift='' trouble=''; drifted ''; troubled ''; drifted a; drifted 'b c'; troubled d; echo $drift $trouble",
      ',"a","b c" ,"d"\n',
    ],
    ["(umask 022; : >m); umask", "0077\n"],
  ]);
});

describe("JSON", () => {
  it("becomes a line a scalar, and an empty line after each document", () => {
    const text = `{"A":{"b":[1,-2.5e3,{"C":true}],"d":null,"a\\/b":"x\\/y \\"z\\""}, "":""}\n{"n":\n 1}\nno { "x":1 }\n`;
    expect(run("json", text)).toBe(
      'a.b.[]\t1\na.b.[]\t-2.5e3\na.b.[].c\ttrue\na.d\tnull\na.a/b\tx/y \\"z\\"\n\t\n\nn\t1\n\n',
    );
  });

  it("is read a line at a time from a log, without what is none", () => {
    const log = `starting\n{"level":"info"\n{"level":"error","n":{"a":[1]}}\n]}\n{"m":"x"} rest\n`;
    expect(run("json -v lines=1", log)).toBe("level\tinfo\nlevel\terror\nn.a.[]\t1\n\nm\tx\n\n");
  });

  it("is shown without secrets", () => {
    const text = `{"password":"p","passwd":1,"username":"u","url":"redis://u:p@h","home":"https://h/a@b",
"token":{"a":["t",{"b":-1.5}],"c":"x"},"after":[1,"k"],"tokenFile":"/f","tokenURL":"https://h","htpasswd":{"path":"/h"},
"headers":[{"x":"y"}],"se\\u0063ret":"s","quote":"a\\"b","secret":"a\\\\","last":true}`;
    const blank = '"secret://*:*@"';
    expect(run("without_secrets", text)).toBe(
      `{"password":${blank},"passwd":${blank},"username":"u","url":${blank},"home":"https://h/a@b",
"token":{"a":[${blank},{"b":${blank}}],"c":${blank}},"after":[1,"k"],"tokenFile":"/f","tokenURL":"https://h","htpasswd":{"path":"/h"},
"headers":[{"x":${blank}}],"se\\u0063ret":${blank},"quote":"a\\"b","secret":${blank},"last":true}`,
    );
  });

  it.each(["secret", "accessKey", "accountkey", "hashKey", "encryptKey", "Authorization", "credentials"])(
    "has a secret in %s",
    (key) => expect(run("without_secrets", `{"${key}":"s"}`)).toBe(`{"${key}":"secret://*:*@"}`),
  );

  it("of a log gives the last errors, without the noise", () => {
    const lines = [
      { level: "info", message: "fine" },
      { level: "error", message: "one\nline", error: 'a "b"' },
      { level: "fatal", message: "two" },
      { level: "error", message: "end", error: "http: Server closed" },
      { level: "panic", message: "three", error: "c\td" },
      { level: "warn", message: "four", error: "d" },
    ].map((line) => JSON.stringify(line));
    const log = `noise\n${lines.join("\n")}\n`;
    expect(run("errors_of_log 9", log)).toBe('one line: a "b"\ntwo\nthree: c d\n');
    expect(run("errors_of_log 1", log)).toBe("three: c d\n");
  });
});

describe("asking", () => {
  const curl = (code: number, text: string) =>
    `curl() { printf '%s\\n' "curl $*" >>asked; printf '%b' '${text}'; return ${code}; }; `;
  const fetched = `told fetch http://a 3; echo "[$body|$why|$asker]"`;
  prints([
    [
      `${curl(0, "x\\ny\\n200")}${fetched}; cat asked`,
      "= 0\n[x\ny|HTTP 200|]\ncurl -sS -L -m 3 -w \\n%{http_code} http://a\n",
    ],
    [`${curl(0, "\\n204")}${fetched}`, "= 0\n[|HTTP 204|]\n"],
    [`${curl(0, "x\\n404")}${fetched}`, "= 1\n[x|HTTP 404|]\n"],
    [`${curl(0, "x\\n2000")}${fetched}`, "= 1\n[x|HTTP 2000|]\n"],
    [`${curl(6, "no name\\n000")}${fetched}`, "= 2\n[no name\n000|no name|]\n"],
    [`${curl(7, "refused\\n000")}${fetched}`, "= 2\n[refused\n000|refused|]\n"],
    [`${curl(28, "late\\n000")}${fetched}`, "= 2\n[late\n000|late|]\n"],
    [`${curl(60, "no trust\\n000")}${fetched}`, "= 1\n[no trust\n000|no trust|]\n"],
    [`${curl(0, "\\n200")}fetch http://a 3 -k; cat asked`, "curl -sS -L -m 3 -k -w \\n%{http_code} http://a\n"],
    ...[1, 77, 125, 126, 127].map(
      (code): Row => [
        `there() { return ${code}; }; asker='there with'; ${curl(0, "here\\n200")}${fetched}`,
        "= 0\n[here|HTTP 200|]\n",
      ],
    ),
    [`there() { printf 'no\\n000'; return 7; }; asker=there; ${fetched}`, "= 2\n[no\n000|no|there]\n"],
    [`${curl(1, "odd\\n000")}${fetched}`, "= 1\n[odd\n000|odd|]\n"],
    [
      `http_proxy=p HTTPS_PROXY=p all_proxy=p; curl() { set +u; printf '%s\\n' "$*[$http_proxy$HTTPS_PROXY$all_proxy]"; echo 200; }; (fetch_own http://a 4 && printf '%s\\n' "$body")`,
      "-sS -L -m 4 -k -w \\n%{http_code} http://a[]\n",
    ],
    [
      `${curl(0, "x\\n401")}told probe http://a; cat asked`,
      "HTTP 401= 1\ncurl -sS -L -m 2 -k -w \\n%{http_code} http://a\n",
    ],
    [`${curl(7, "r\\n0")}told probe http://a 9`, "r= 2\n"],
    [
      `${curl(0, "x\\n200")}told answer http://a; cat asked`,
      "x\n= 0\ncurl -sS -L -m 10 -k -w \\n%{http_code} http://a\n",
    ],
    [`${curl(0, "x\\n500")}told answer http://a`, "= 1\n"],
    [
      `${curl(0, "\\n200")}told is_ready http://a; told is_answered http://a; grep -o 'http:.*' asked`,
      "= 0\n= 0\nhttp://a/readyz\nhttp://a/readyz\n",
    ],
    [`${curl(0, "\\n503")}told is_ready http://a; told is_answered http://a`, "= 1\n= 0\n"],
    [`${curl(7, "r\\n0")}told is_ready http://a; told is_answered http://a`, "= 2\n= 1\n"],
    [
      `${curl(0, "\\n404")}told shows 404 a/b 7; told shows 401 a/b 7; cat asked`,
      `= 0\n= 1\n${"curl -sS -L -m 7 -k -w \\n%{http_code} http://zot/v2/a/b/tags/list\n".repeat(2)}`,
    ],
  ]);

  describe("without curl", () => {
    const wget = (help: string, code: number, text: string) =>
      `command() { return 1; }; wget() { case $1 in --help) echo '${help}' ;; *) echo "wget $*" >>asked; echo '${text}'; return ${code} ;; esac; }; `;
    const asked = 'told fetch http://a 3; echo "[$body|$why]"';
    prints([
      [`${wget("  -T SEC", 0, "x")}${asked}; cat asked`, "= 0\n[x|]\nwget -T 3 -q -O - http://a\n"],
      [`${wget("  -q", 0, "x")}fetch http://a 3 -k; cat asked`, "wget --no-check-certificate -q -O - http://a\n"],
      [
        `${wget("  -T SEC", 1, "wget: server returned error: HTTP/1.1 404 Not Found")}${asked}`,
        "= 1\n[wget: server returned error: HTTP/1.1 404 Not Found|wget: server returned error: HTTP/1.1 404 Not Found]\n",
      ],
      ...["Connection refused", "unable to connect", "can't resolve it", "bad address x", "error: timed out"].map(
        (why): Row => [
          `${wget("", 1, why.replace("'", "'\\''"))}told fetch http://a 3; echo "[$why]"`,
          `= 2\n[${why}]\n`,
        ],
      ),
      [`${wget("", 1, "nothing of it")}told fetch http://a 3; echo "[$why]"`, "= 1\n[]\n"],
    ]);
  });
});

describe("a configuration", () => {
  const read = (config: object, print = "$url") =>
    `cat >c <<'END'\n${JSON.stringify(config)}\nEND\nread_config c; echo "${print}"`;
  const http = (http: object) => read({ http: { port: "5000", ...http } });
  const both = { auth: { apikey: true }, accessControl: { adminPolicy: { actions: [], users: ["a"] } } };
  prints([
    [http({}), "http://127.0.0.1:5000\n"],
    ...[
      ["", "127.0.0.1"],
      ["0.0.0.0", "127.0.0.1"],
      ["10.1.2.3", "10.1.2.3"],
      ["::", "[::1]"],
      ["[::]", "[::1]"],
      ["fe80::1", "[fe80::1]"],
      ["[fe80::1]", "[fe80::1]"],
      ["zot.lan", "zot.lan"],
    ].map(([address, shown]): Row => [http({ address }), `http://${shown}:5000\n`]),
    [http({ tls: { cert: "/c", key: "/k" } }), "https://127.0.0.1:5000\n"],
    [read({ http: both }, "$guarded $port"), "true \n"],
    [read({ http: { auth: both.auth } }, "$guarded"), "false\n"],
    [read({ http: { accessControl: both.accessControl } }, "$guarded"), "false\n"],
    [
      read(
        {
          http: { auth: { openid: { providers: { a: { issuer: "https://a" }, b: { issuer: "https://b" } } } } },
          log: { output: "/log" },
        },
        "$issuers $log_file",
      ),
      " https://a https://b /log\n",
    ],
    [
      read(
        {
          http: {
            accessControl: {
              repositories: { "harden-zot/{,**}": {}, "harden-zot/proof-0a1b": { anonymousPolicy: ["read"] } },
            },
          },
        },
        "$proof",
      ),
      "harden-zot/proof-0a1b\n",
    ],
    [
      `cat >c <<END\n{"http":{"auth":{"a":"$state/secrets/a.json","b":"/b/secrets/c.json"}}}\nEND\nread_config c; echo "$secret_files"`,
      " a.json\n",
    ],
    [
      `echo '{"a":"/harden-zot/secrets/x"}' >c; told is_ours c; echo '{"harden-zot/**":1}' >c; told is_ours c; echo '{"{,harden-zot/}**":1}' >c; told is_ours c; echo '{"x/harden-zot":1}' >c; told is_ours c`,
      "= 0\n= 0\n= 0\n= 1\n",
    ],
  ]);
});

describe("zot", () => {
  const engine = (running: string, said: string, code = 0) =>
    `manager=container service=docker:zot unit=zot running=${running}; docker() { echo "docker $*" >>asked; case $1 in exec) echo '${said}'; return ${code} ;; inspect) echo img ;; *) echo ran ;; esac; }; `;
  const zot = (text: string) =>
    `cat >zot <<'END'\n#!/bin/sh\necho x >>"\${0%/*}/asked"\necho '${text}'\nEND\nchmod +x zot; zot=$PWD/zot; `;
  const SAYS = '{"commit":"v2.1.20-0-gabc"}';
  prints([
    [`zot() { :; }; zot=echo; (run_zot verify c)`, "verify c\n"],
    [
      `${engine("yes", '{"level":"info"}', 3)}(told run_zot verify c); cat asked`,
      '{"level":"info"}\n= 3\ndocker exec zot /opt/zot verify c\n',
    ],
    [
      `${engine("yes", "going down", 1)}(told run_zot verify c); cat asked`,
      "ran\n= 0\ndocker exec zot /opt/zot verify c\ndocker inspect -f {{.Image}} zot\ndocker run --rm --network none --volumes-from zot --entrypoint /opt/zot img verify c\n",
    ],
    [`${engine("no", "")}(told run_zot verify c); cut -d ' ' -f 2 asked`, "ran\n= 0\ninspect\nrun\n"],
    [`manager=container; docker() { return 1; }; service=docker:zot; (told run_zot x)`, "= 1\n"],
    // Asked once, and again when the file changes.
    [
      `${zot(SAYS)}read_version; read_version; echo $version; grep -c x asked; touch -d @1 zot; read_version; grep -c x asked`,
      "2.1.20\n1\n2\n",
    ],
    [`${zot("hello")}read_version; echo "[$version]"; ls "$state"`, "[]\nsecrets\ntxn\n"],
    [`${zot('{"commit":"2.10.3"}')}read_version; echo "[$version]"; ls "$state"`, "[2.10.3]\nsecrets\ntxn\nversion\n"],
    [`${zot(SAYS)}echo half >"$state/version"; read_version; echo $version`, "2.1.20\n"],
    [
      `${zot(SAYS)}printf '%s\\n9.9.9\\n' "$(ls -lLin "$zot")" >"$state/version"; read_version; echo $version`,
      "9.9.9\n",
    ],
    [
      "zot=none version=''; zot_trouble",
      "there is no zot to run at none: install it there, or correct the host's zot setting\n",
    ],
    [
      "zot=/etc/passwd; zot_trouble",
      "there is no zot to run at /etc/passwd: install it there, or correct the host's zot setting\n",
    ],
    ["zot=/bin; zot_trouble", "there is no zot to run at /bin: install it there, or correct the host's zot setting\n"],
    ["zot=/bin/sh; zot_trouble", ""],
    [
      "zot=/bin/sh version=''; zot_trouble",
      "/bin/sh --version did not say a version: is it zot, built for this machine?\n",
    ],
    [
      "manager=container version='' zot=/z; zot_trouble; running=refused; zot_trouble",
      "/z --version did not say a version: is it zot, built for this machine?\n",
    ],
  ]);
});

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

describe("locks", () => {
  prints([
    [`told alive $$`, "= 1\n"],
    [`sleep 9 & told alive $!; kill $!`, "= 1\n"],
    [`sleep 9 & ps() { echo PID; echo "$! sh /d/agent.sh x"; }; told alive $!; kill $!`, "= 0\n"],
    [`sleep 9 & ps() { echo PID; }; told alive $!; kill $!`, "= 0\n"],
    [`told alive 99999999`, "= 1\n"],
    [`(lock); ls "$state"`, "secrets\ntxn\n"],
    [
      `echo 77 >"$state/lock"; alive() { return 0; }; wait=0; (lock); echo $?; cat "$state/lock"; ls "$state"`,
      "harden-zot: another run (process 77) is changing this registry and did not finish within 0 s; nothing was changed, try again\n75\n77\nlock\nsecrets\ntxn\n",
    ],
    [`echo 77 >"$state/lock"; alive() { return 1; }; lock; [ "$(cat "$state/lock")" = $$ ] && echo mine`, "mine\n"],
    [
      `: >"$state/lock"; mkdir "$state/lock.breaking"; alive() { return 1; }; nap() { echo x >>naps; }; lock; wc -l <naps; [ "$(cat "$state/lock")" = $$ ] && echo mine; ls "$state" | grep break`,
      "30\nmine\n",
    ],
    [`rm -rf "$state"; (lock 2>/dev/null); echo $?`, "1\n"],
  ]);
});

describe("whose the host is", () => {
  const held = `printf 'owner=a:1\\nlife=x\\n' >"$state/tenure"; `;
  const REFUSED =
    "harden-zot: this registry is delivered by a:1, and this run is of b: deliver to it from there, or take it over with the host's setting takeOver: a:1; nothing was changed\n1\n";
  const LEFT =
    "harden-zot: this registry is delivered by a:1 (life x) and stays as it is; activate was for b (life y), which was replaced, renamed or taken over\n= 1\n";
  prints([
    ["read_tenure; echo [$held_owner$held_life]", "[]\n"],
    [
      `printf 'owner=a=b\\r\\nlife=x\\r\\nother=1\\n' >"$state/tenure"; read_tenure; echo "[$held_owner] [$held_life]"`,
      "[a=b] [x]\n",
    ],
    [`owner=b life=y; take_tenure; cat "$state/tenure"`, "owner=b\nlife=y\n"],
    [`${held}owner=b life=y; (take_tenure); echo $?`, REFUSED],
    [`${held}(take_tenure)`, REFUSED.replace("of b", "of somebody who gives no owner").replace("\n1\n", "\n")],
    [`${held}owner=b life=y takeover=a:1; take_tenure; cat "$state/tenure"`, "owner=b\nlife=y\n"],
    [`${held}owner=a:1 life=y; take_tenure; cat "$state/tenure"`, "owner=a:1\nlife=y\n"],
    [`${held}owner=a:1 life=x; put_in_place() { echo put; }; told take_tenure`, "= 0\n"],
    [
      `${held}owner=a:1 life=z; put_in_place() { return 1; }; (take_tenure); echo $?`,
      "harden-zot: cannot write in ~/harden-zot: is the disk full? nothing was changed\n1\n",
    ],
    ["told ends_here", "= 0\n"],
    [`${held}owner=a:1 life=x; told ends_here`, "= 0\n"],
    [`${held}owner=b life=y; told ends_here`, LEFT],
    [`${held}told ends_here`, LEFT.replace("for b (life y)", "for no owner (life none)")],
    [`${held}owner=a:1 life=y; told ends_here`, LEFT.replace("for b", "for a:1")],
    [`${held}owner=a:1 life=y last=yes; told ends_here`, "= 0\n"],
    [`${held}owner=b life=y last=yes; told ends_here`, LEFT],
  ]);
});

describe("the record", () => {
  const read = `read_record; echo "$applied_sha256 $applied_restart $applied_zot $applied_heal $applied_rollback."`;
  prints([
    [read, "   0 .\n"],
    [
      `printf 'sha256=s\\nrestart=r=1\\nzot=z\\nheal=12\\nrollback=yes\\nmore=1\\n' >"$state/record"; ${read}`,
      "s r=1 z 12 yes.\n",
    ],
    ...["", "08", "x", "1x"].map(
      (heal): Row => [`printf 'sha256=s\\nheal=${heal}\\n' >"$state/record"; ${read}`, "s   0 .\n"],
    ),
    [`printf 'heal=0\\n' >"$state/record"; ${read}`, "   0 .\n"],
    [
      "heal=3; write_record p; operation=rollback; write_record q",
      "sha256=new\nrestart=p\nzot=2.1.20\nheal=3\nsha256=new\nrestart=q\nzot=2.1.20\nheal=3\nrollback=yes\n",
    ],
  ]);
});

describe("the journal", () => {
  prints([
    [
      `write_journal switch; had=x was=x old_url=x operation=x; read_journal "$txn/switch"; echo $had $was $old_url $operation; ls "$txn"`,
      "yes healthy http://old activate\nswitch\n",
    ],
    [
      `write_journal switch; sed -i 's/yes/no/' "$txn/switch"; (read_journal "$txn/switch"); echo $?`,
      "harden-zot: ~/harden-zot/txn/switch is not whole, so what an interrupted run was doing is not known; nothing was changed. ~/harden-zot/txn holds: switch. Look at ~/config.json: where it is not what zot should serve, put before.json, the one from before that run, in its place; then remove ~/harden-zot/txn and run again\n1\n",
    ],
    [
      `fsync() { echo "fsync $*"; }; write_journal commit`,
      "fsync ~/harden-zot/txn/commit.new\nfsync ~/harden-zot/txn ~/harden-zot\n",
    ],
    [
      `journal_phase; : >"$txn/rollback"; journal_phase; : >"$txn/switch"; journal_phase; : >"$txn/commit"; journal_phase`,
      "rollback\nswitch\ncommit\n",
    ],
    [
      `write_journal commit; commit() { echo committed; }; operation=x; told recover; ls "$state"`,
      "harden-zot: finishing an interrupted activate\ncommitted\n= 0\nsecrets\n",
    ],
    [
      `write_journal rollback; undo_switch() { outcome=bad; return 1; }; recover`,
      "harden-zot: rolling back an interrupted activate\nharden-zot: bad\n",
    ],
    [
      `write_journal switch; undo_switch() { outcome=good; }; recover`,
      "harden-zot: rolling back an interrupted activate\n",
    ],
    [
      `sleep 9 & here=$!; alive() { [ "$1" = $here ]; }; : >"$state/a.$here"; : >"$state/b.99999"; : >"$state/c.$$"; mkdir "$state/lock.breaking"; : >"$state/d.json"; recover; ls "$state" | sed "s/$here/here/; s/$$/me/"; kill $here`,
      "a.here\nc.me\nd.json\nsecrets\n",
    ],
  ]);

  const before = `echo before >"$txn/before.json"; echo after >"$config"; : >"$txn/switch"; service_state() { running=yes pid=9; }; serves() { echo "serves $*"; }; read_config() { echo "read $1"; }; command_restart() { echo restart; }; command_stop() { echo stop; }; `;
  const undo = `told undo_switch; echo "$outcome"; cat "$config" 2>/dev/null; ls "$state"`;
  prints([
    [
      `${before}${undo}`,
      "read ~/config.json\nrestart\nserves http://old 9\n= 0\nthe last good configuration is back and serving\nbefore\nsecrets\n",
    ],
    [`${before}cp "$txn/before.json" "$config"; ${undo}`, "= 0\nthe configuration was not changed\nbefore\nsecrets\n"],
    [
      `${before}was=running; ${undo}`,
      "read ~/config.json\nrestart\n= 0\nthe configuration from before is back; zot was not serving then either\nbefore\nsecrets\n",
    ],
    [
      `${before}was=stopped; ${undo}`,
      "read ~/config.json\nstop\n= 0\nthe configuration from before is back; zot was not serving then either\nbefore\nsecrets\n",
    ],
    [
      `${before}command_restart() { return 1; }; ${undo}`,
      "read ~/config.json\nserves http://old none\n= 0\nthe last good configuration is back and serving\nbefore\nsecrets\n",
    ],
    [
      `${before}serves() { return 1; }; service_errors() { echo a; echo b; }; ${undo}`,
      "read ~/config.json\nrestart\n= 1\nthe last good configuration is back but zot does not serve at http://old: b\nbefore\nsecrets\n",
    ],
    [
      `${before}rm "$txn/before.json"; had=no was=stopped; ${undo}`,
      "stop\n= 0\nthe configuration from before is back; zot was not serving then either\nsecrets\n",
    ],
    // A rollback that was killed after it had put the file back.
    [
      `${before}mv "$txn/switch" "$txn/rollback"; rm "$txn/before.json"; ${undo}`,
      "read ~/config.json\nrestart\nserves http://old 9\n= 0\nthe last good configuration is back and serving\nafter\nsecrets\n",
    ],
    [
      `${before}mv() { case $* in *before*) return 1 ;; *) command mv "$@" ;; esac; }; ${undo}`,
      "read ~/config.json\nrestart\nserves http://old 9\n= 0\nthe last good configuration is back and serving\nbefore\nsecrets\n",
    ],
    [
      `${before}mv() { case $* in *before*) return 1 ;; *) command mv "$@" ;; esac; }; cat() { case $1 in *before*) return 1 ;; *) command cat "$@" ;; esac; }; told undo_switch; echo "$outcome"; ls "$txn"`,
      "= 1\nthe last good configuration could not be put back from ~/harden-zot/txn/before.json to ~/config.json: make that directory writable and run again\nbefore.json\nrollback\n",
    ],
    [
      `${before}restart_with() { :; }; errors=x; command_log() { echo '{"level":"error","message":"port"}'; }; why=cause; (give_up_switch); echo $?`,
      "read ~/config.json\nrestart\nserves http://old 9\nharden-zot: cause; the last good configuration is back and serving\n  zot: port\n1\n",
    ],
  ]);
});

describe("a commit", () => {
  const files = (...names: string[]) => names.map((name) => `echo ${name} >"$txn/${name}"`).join("; ");
  const NOT_NOTED =
    "is done and zot serves, but that could not be noted down in ~/harden-zot: make it writable and run again\n1\n";
  prints([
    [
      `${files("original.json", "catalog", "record", "commit")}; commit; ls "$state"; cat "$state/record"`,
      "catalog\noriginal.json\nrecord\nsecrets\nrecord\n",
    ],
    [
      `${files("original.none", "previous.json", "previous.record", "record")}; commit; ls "$state"`,
      "original.none\nprevious.json\nprevious.record\nrecord\nsecrets\n",
    ],
    [
      `fsync() { return 1; }; ${files("record")}; (commit); echo $?; ls "$txn"`,
      `harden-zot: the activate ${NOT_NOTED}record\n`,
    ],
    [
      `fsync() { [ "$1" != "$state" ]; }; ${files("record")}; (commit); echo $?; ls "$state"`,
      `harden-zot: the activate ${NOT_NOTED}record\nsecrets\ntxn\n`,
    ],
    [`mv() { return 1; }; ${files("catalog", "record")}; (commit); echo $?`, `harden-zot: the activate ${NOT_NOTED}`],
    ...["restore", "close"].map(
      (operation): Row => [
        `operation=${operation}; for f in original.json original.none previous.json previous.record version record catalog tenure; do : >"$state/$f"; done; commit; ls "$state"`,
        operation === "restore" ? "tenure\n" : "original.json\noriginal.none\ntenure\n",
      ],
    ),
    // a: in use; b: by the one before; c: by nobody; d: by nobody yet.
    [
      `for f in a b c d; do : >"$state/secrets/$f.json"; done; touch -d @5 "$state"/secrets/[abc].json; : >"$state/record"; touch -d @6 "$state/record"; echo '"/a.json"' >"$config"; echo '"/b.json"' >"$state/previous.json"; ${files("record")}; commit; ls "$state/secrets"`,
      "a.json\nb.json\nd.json\n",
    ],
    [
      `: >"$state/secrets/c.json"; touch -d @5 "$state/secrets/c.json"; ${files("record")}; commit; ls "$state/secrets"`,
      "c.json\n",
    ],
  ]);
});

describe("before the switch", () => {
  const REFUSED = (why: string) => `harden-zot: ${why}; nothing was changed\n1\n`;
  const tried =
    "older() { return 1; }; run_zot() { echo run $* >>did; }; look_at_network() { :; }; check_issuer() { echo issuer $1 >>did; }; check_port() { echo port >>did; }; read_version() { :; }; zot=/bin/sh; ";
  const preflight = `${tried}(preflight); echo $?; ls "$state"; cat did 2>/dev/null`;
  const fails = (setting: string) => `${tried}${setting}; (preflight); echo $?; ls "$state"`;
  const kept = "secrets\n";
  prints([
    [`refuse_for ''; (refuse_for why); ls "$state"`, "harden-zot: why; nothing was changed\nsecrets\n"],
    [`(no_room /d); echo $?`, REFUSED("cannot write in /d: is the disk full?")],
    [
      `issuers=' a b'; ${preflight}`,
      "0\nsecrets\ntxn\nrun verify ~/harden-zot/txn/candidate.json\nissuer a\nissuer b\nport\n",
    ],
    [fails("port=''"), REFUSED("the new config.json names no http.port, or is not JSON") + kept],
    [
      fails("zot=none"),
      REFUSED("there is no zot to run at none: install it there, or correct the host's zot setting") + kept,
    ],
    [
      fails("minimum=3; older() { [ \"$*\" = '2.1.20 3' ]; }"),
      REFUSED("/bin/sh is zot 2.1.20, and this configuration needs 3 or newer: install a newer zot first") + kept,
    ],
    [fails("older() { return 0; }").replace("; ls", "; : ls"), "0\n"],
    [fails("port_trouble() { echo ports; }"), REFUSED("ports") + kept],
    [
      fails("bad_secrets() { echo bad; }"),
      REFUSED("the new config.json needs ~/harden-zot/secrets, where bad: it has to be written again (put-secret)") +
        kept,
    ],
    [
      fails(
        `run_zot() { echo '{"level":"error","message":"first"}'; echo '{"level":"error","message":"last"}'; echo '{"level":"error","message":"invalid config file"}'; return 1; }`,
      ),
      REFUSED("zot 2.1.20 refuses the new config.json (zot verify): last") + kept,
    ],
    [
      fails("run_zot() { echo a; echo b; return 1; }"),
      REFUSED("zot 2.1.20 refuses the new config.json (zot verify): b") + kept,
    ],
    [
      'secret_files=\'a-2cf24dba5fb0.json b.json gone.json\'; printf hello >"$state/secrets/a-2cf24dba5fb0.json"; printf hello >"$state/secrets/b.json"; chmod 640 "$state/secrets/b.json"; bad_secrets',
      "secrets/b.json is readable by others\nsecrets/b.json was edited\nsecrets/gone.json is gone\n",
    ],
  ]);

  const issuer = (body: string, code = 0) =>
    `set_asker() { :; }; fetch() { echo "$*" >&2; body='${body}' why=no; return ${code}; }; unit=z; (told check_issuer https://a/o/); echo $?`;
  const ASKED = "https://a/o/.well-known/openid-configuration 10\n";
  const otherwise = (said: string, more = "") =>
    `${ASKED}${REFUSED(`the OIDC issuer calls itself '${said}' and the new config.json calls it 'https://a/o/'; zot compares them byte for byte and would not start${more}`)}`;
  prints([
    [issuer('{"n":{"issuer":"x"},"issuer":"https://a/o/"}'), `${ASKED}= 0\n0\n`],
    [issuer('{"issuer":"https://a/o"}'), otherwise("https://a/o")],
    [
      issuer('{"issuer":"http://a/o/"}'),
      otherwise(
        "http://a/o/",
        ": Authentik does not believe the proxy in front of it that the request came over https, so add the proxy's network to AUTHENTIK_LISTEN__TRUSTED_PROXY_CIDRS in Authentik's environment, have the proxy send X-Forwarded-Proto, and restart Authentik",
      ),
    ],
    [
      issuer("", 1),
      `${ASKED}${REFUSED("the OIDC issuer https://a/o/ cannot be discovered from this host (no); zot would not start: is the issuer up, and does this host resolve and trust it?")}`,
    ],
    [
      issuer("", 2).replace("set_asker() { :; }", "set_asker() { asker=x; }"),
      `${ASKED}${REFUSED("the OIDC issuer https://a/o/ cannot be discovered from the container z (no); zot would not start: is the issuer up, and does the container z resolve and trust it?")}`,
    ],
    [`set_asker() { asker=x; }; fetch() { body='{"issuer":"b"}'; }; check_issuer b; echo "[$asker]"`, "[]\n"],
  ]);

  const port = (state: string, more: string) =>
    `pid=7; service_state() { ${state}; }; is_answered() { echo "asked $1"; return 0; }; ${more}; (check_port); echo $?; was=healthy; is_answered() { return 1; }; told check_port; echo $was`;
  const TAKEN = `asked http://zot\n${REFUSED("port 5000 is answered by another process than the service command: stop that one, or choose another port")}`;
  prints([
    [port("running=yes pid=7", ":"), "0\n= 0\nhealthy\n"],
    [port("running=yes pid=7", "old_port=1"), `${TAKEN}= 0\nhealthy\n`],
    [port("running=yes pid=8", ":"), `${TAKEN}= 0\nrunning\n`],
    [port("running=no pid=''", ":"), `${TAKEN}= 0\nstopped\n`],
  ]);

  const look = (state: string, more = ":") =>
    `service_state() { ${state}; }; is_ready() { [ $1 = http://127.0.0.1:1 ]; }; ${more}; look; echo "$had $was $old_url $old_port $old_guarded $(printf %.6s "$live") $applied_sha256"`;
  const there = `echo '{"http":{"port":"1","auth":{"a":1},"accessControl":{"b":1}}}' >"$config"; printf 'sha256=s\\n' >"$state/record"`;
  prints([
    [look("running=no"), "no stopped none  false  \n"],
    [look("running=yes", there), "yes healthy http://127.0.0.1:1 1 true 043072 s\n"],
    [look("running=yes", `${there}; is_ready() { return 1; }`), "yes running http://127.0.0.1:1 1 true 043072 s\n"],
    [
      `(${look("running=yes")}); echo $?; ls "$state"`,
      `${REFUSED("command runs, but not from ~/config.json, which is not there: correct the host's configDirectory setting")}secrets\n`,
    ],
    [
      `(${look("running=missing")}); echo $?`,
      REFUSED("the service manager does not know command (service=command): correct the host's service setting"),
    ],
    [
      `ln -s x config.json; (look); echo $?`,
      REFUSED("~/config.json is a symbolic link, which whoever made it would put back: make it a file of its own"),
    ],
    [
      `mkdir x; ${there}; config_sha256() { return 1; }; service_state() { :; }; (look); echo $?`,
      REFUSED("cannot read ~/config.json"),
    ],
    [`look() { echo looked; }; printf a >"$txn/candidate.json"; look_at_candidate; printf %.6s $new`, "looked\n87428f"],
    ["look() { :; }; (look_at_candidate 2>/dev/null); echo $?", "1\n"],
  ]);

  const original = 'find_original; echo "[$original]"';
  prints([
    [original, "[]\n"],
    [
      `: >"$state/record"; ${original}; echo '"harden-zot/**"' >"$config"; rm "$state/record"; ${original}; echo {} >"$config"; ${original}`,
      "[lost]\n[lost]\n[]\n",
    ],
    [
      `: >"$state/record"; : >"$state/original.none"; ${original}; : >"$state/original.json"; ${original}`,
      "[none]\n[yes]\n",
    ],
  ]);
});

describe("the files of a switch", () => {
  const make = `printf 'longer than that' >"$config"; chmod 646 "$config"; printf new >"$txn/candidate.json"; `;
  const made = `told make_new_file; od -An -c "$txn/new.json" | tr -d ' '; ls -l "$txn" | awk 'NR > 1 { print $1, $NF }'`;
  prints([
    [
      `${make}${made}`,
      "= 0\nnew\n-rw------- candidate.json\n-rw-r--r-- new.json\n".replace(
        "-rw------- candidate",
        "-rw-r--rw- before.json\n-rw------- candidate",
      ),
    ],
    [
      `${make}mode=reload; ${made}`,
      `= 0\nnew${"\\n".repeat(13)}\n-rw-r--rw- before.json\n-rw------- candidate.json\n-rw-r--r-- new.json\n`,
    ],
    [
      `${make}printf abc >"$config"; mode=reload; ${made}`,
      "= 0\nnew\n-rw-r--rw- before.json\n-rw------- candidate.json\n-rw-r--r-- new.json\n",
    ],
    [`${make}had=no; ${made}`, "= 0\nnew\n-rw------- candidate.json\n-rw------- new.json\n"],
    [`${make}cp() { return 1; }; told make_new_file`, "= 1\n"],
    [`${make}cat() { return 1; }; told make_new_file`, "= 1\n"],
  ]);

  const kept = `echo before >"$txn/before.json"; echo record >"$state/record"; told keep_before; rm "$txn/before.json"; ls "$txn"; cat "$txn"/*`;
  prints([
    [`applied_sha256=''; ${kept}`, "= 0\noriginal.json\nbefore\n"],
    [`applied_sha256='' had=no; ${kept}`, "= 0\noriginal.none\n"],
    [`applied_sha256=''; is_ours() { :; }; told keep_before; ls "$txn"`, "= 0\n"],
    [kept, "= 0\nprevious.json\nprevious.record\nbefore\nrecord\n"],
    [`new=live; told keep_before; ls "$txn"`, "= 0\n"],
    [`applied_sha256=other; told keep_before; ls "$txn"`, "= 0\n"],
  ]);

  const copy = `printf 'abcdef' >"$txn/new.json"; printf 'uvw' >"$config"; chmod 666 "$config"; `;
  const shows = (times: number) =>
    `echo 0 >clock; nap() { echo $(($(cat clock) + 1)) >clock; }; date() { cat clock; }; shows() { echo "$*" >asked; [ "$(cat clock)" -ge ${times} ]; }; proof=p; `;
  prints([
    [
      `${copy}${shows(1)}i=$(ls -i config.json); told reload; cat config.json asked clock; [ "$i" = "$(ls -i config.json)" ] && ls -l config.json | cut -c1-10`,
      "= 0\nabcdef404 p 1\n1\n-rw-r--r--\n",
    ],
    [`${copy}${shows(3)}told reload; cat clock`, "= 0\n3\n"],
    [`${copy}${shows(9)}told reload; cat clock`, "= 1\n3\n"],
    [`${copy}${shows(1)}dd() { :; }; told reload`, "= 1\n"],
    [`${copy}${shows(1)}fsync() { return 1; }; told reload`, "= 1\n"],
  ]);
});

describe("the switch", () => {
  const stubs = `make_new_file() { echo made; }; keep_before() { echo kept; }; reload() { echo reload; }; restart_with_new_file() { echo restart $old_pid; }; commit() { echo commit; }; give_up_switch() { echo "gave up: $why"; exit 1; }; pid=4; verb=activate; `;
  const record = `cat "$txn/record" 2>/dev/null | tr '\\n' ' '; ls "$txn"`;
  prints([
    [
      `${stubs}transact restart print; ${record}`,
      "made\nkept\nrestart 4\ncommit\nsha256=new restart=print zot=2.1.20 heal=0 commit\nrecord\n",
    ],
    [`${stubs}transact reload print; echo $mode`, "made\nkept\nreload\ncommit\nreload\n"],
    [
      `${stubs}reload() { return 1; }; transact reload print; echo $mode`,
      "made\nkept\nharden-zot: zot 2.1.20 did not take up the new configuration by a reload: it is restarted\nrestart 4\ncommit\nrestart\n",
    ],
    [
      `${stubs}verb=restore; transact restart none; cut -d ' ' -f 4 "$txn/commit"; ls "$txn"`,
      "made\nrestart 4\ncommit\nrestore\ncommit\n",
    ],
    [
      `${stubs}verb=rollback; transact restart p; cat "$txn/record" | tail -n 1`,
      "made\nkept\nrestart 4\ncommit\nrollback=yes\n",
    ],
    ...["make_new_file", "keep_before", "write_journal", "write_record"].map(
      (step): Row => [
        `${stubs}${step}() { return 1; }; (transact restart p) 2>&1 | tail -n 1; ls "$state"`,
        "harden-zot: cannot write in ~/harden-zot/txn: is the disk full?; nothing was changed\nsecrets\n",
      ],
    ),
    [`${stubs}restart_with_new_file() { why=no; return 1; }; (transact restart p) 2>&1 | tail -n 1`, "gave up: no\n"],
    [
      `${stubs}mv() { [ "$2" != "$txn/commit" ] && [ "$3" != "$txn/commit" ] && command mv "$@"; }; (transact restart p) 2>&1 | tail -n 1`,
      "gave up: cannot write in ~/harden-zot/txn\n",
    ],
  ]);

  const restart = `echo new >"$txn/new.json"; command_restart() { echo restarted; }; serves() { echo "serves $*"; }; shows() { echo "shows $*" >&2; return 1; }; `;
  const told = `told restart_with_new_file; echo "$why"`;
  prints([
    [`${restart}${told}; cat "$config"`, "restarted\nserves http://zot 1\n= 0\n\nnew\n"],
    [
      `${restart}proof=p; ${told}`,
      "restarted\nserves http://zot 1\nshows 401 p 10\nshows 404 harden-zot/closed 10\n= 0\n\n",
    ],
    ...["401", "404"].map(
      (code): Row => [
        `${restart}proof=p; shows() { [ $1 = ${code} ]; }; ${told}`,
        "restarted\nserves http://zot 1\n= 1\nzot 2.1.20 serves another configuration: does command run it with ~/config.json?\n",
      ],
    ),
    [
      `${restart}rm "$txn/new.json"; told restart_with_new_file 2>/dev/null; echo "$why"`,
      "= 1\ncannot write ~/config.json\n",
    ],
    [
      `${restart}command_restart() { said=sorry; return 1; }; ${told}`,
      "= 1\nthe service manager could not restart command: sorry\n",
    ],
    [
      `${restart}serves() { return 1; }; last_error() { printf ': e'; }; ${told}`,
      "restarted\n= 1\nzot 2.1.20 did not come up with the new configuration: e\n",
    ],
  ]);

  const all =
    'live=same new=same applied_sha256=same restart=p applied_restart=p was=healthy heal=2 applied_heal=2; read_version() { :; }; : >"$config"; chmod 666 "$config"; ';
  const may =
    "live=l applied_sha256=l new=n restart=p applied_restart=p was=healthy old_guarded=true guarded=true proof=q; shows() { [ \"$*\" = '401 q 10' ]; }; ";
  prints([
    [`${all}told nothing_to_do; ls -l "$config" | cut -c1-10`, "= 0\n-rw-r--r--\n"],
    ...[
      "new=x",
      "live=x",
      "applied_sha256=x",
      "restart=x",
      "was=running",
      "heal=1",
      "version=9.9.9",
      "secret_files=gone.json",
    ].map((other): Row => [`${all}${other}; told nothing_to_do`, "= 1\n"]),
    [`${may}told may_reload`, "= 0\n"],
    ...[
      "live=x",
      "applied_restart=x",
      "version=9.9.9",
      "was=running",
      "old_guarded=false",
      "guarded=false",
      "new=l",
      "proof=''",
      "proof=other",
    ].map((other): Row => [`${may}${other}; told may_reload`, "= 1\n"]),
  ]);
});

describe("what an open registry shows", () => {
  const open = `applied_sha256='' was=healthy; echo {} >"$config"; most_repositories=2 most_tags=3; date() { echo 100; }; answer() { case $1 in http://old/v2/_catalog?n=3) echo '{"repositories":["a","b/c"]}' ;; http://old/v2/a/tags/list) echo '{"name":"a","tags":["1","2"]}' ;; */b/c/*) echo '{"tags":["x"]}' ;; esac; }; `;
  const noted = `told note_catalog; cat "$txn/catalog" 2>/dev/null`;
  prints([
    [`${open}${noted}`, "= 0\nnoted 100\na\t1\na\t2\nb/c\tx\n"],
    [`${open}most_tags=2; ${noted}`, "= 0\nnoted 100\na\t1\na\t2\nmore\n"],
    [
      `${open}most_repositories=1; answer() { case $1 in *n=2) echo '{"repositories":["a","b"]}' ;; *) echo '{"tags":["1"]}' ;; esac; }; ${noted}`,
      "= 0\nnoted 100\na\t1\nmore\n",
    ],
    [`${open}wait=0; ${noted}`, "= 0\nnoted 100\nmore\n"],
    [`${open}applied_sha256=x; ${noted}`, "= 0\n"],
    [`${open}was=running; ${noted}`, "= 0\n"],
    [`${open}is_ours() { :; }; ${noted}`, "= 0\n"],
  ]);
});

describe("verbs", () => {
  const begun =
    'begin() { echo begun; }; look_at_candidate() { new=n; cat "$txn/candidate.json"; }; preflight() { echo preflight; }; transact() { echo "transact $* heal=$heal"; mode=$1; }; note_catalog() { echo noted; }; take_tenure() { echo taken; }; may_reload() { return 1; }; nothing_to_do() { return 1; }; rmdir "$txn"; ';
  const REPORT = (action: string) => `{"sha256":"n","action":"${action}","zot":"2.1.20"}\n`;
  const ended = "; echo $?";
  const activate = `(echo text | verb_activate)${ended}`;
  prints([
    [
      `${begun}${activate}`,
      `begun\ntaken\ntext\npreflight\nnoted\ntransact restart print heal=0\n${REPORT("restarted")}0\n`,
    ],
    [
      `${begun}may_reload() { :; }; ${activate}`,
      `begun\ntaken\ntext\npreflight\nnoted\ntransact reload print heal=0\n${REPORT("reloaded")}0\n`,
    ],
    [
      `${begun}nothing_to_do() { :; }; ${activate}; ls "$state"`,
      `begun\ntaken\ntext\n${REPORT("unchanged")}0\nsecrets\n`,
    ],
    [
      `${begun}note_catalog() { return 1; }; (echo text | verb_activate) 2>&1 | tail -n 1`,
      "harden-zot: cannot write in ~/harden-zot/txn: is the disk full?; nothing was changed\n",
    ],
    [
      `${begun}: >"$state/secrets/a.json"; chmod 644 "$state/secrets/a.json"; (echo text | verb_activate) >/dev/null; ls -l "$state/secrets" | tail -n 1 | cut -c1-10`,
      "-rw-------\n",
    ],
    [`${begun}restart=''; (verb_activate </dev/null)${ended}`, "harden-zot: activate needs restart=\n2\n"],
    [
      `${begun}mkdir() { return 1; }; (echo text | verb_activate) 2>&1 | tail -n 1`,
      "harden-zot: cannot write in ~/harden-zot: is the disk full?; nothing was changed\n",
    ],
    [
      `${begun}printf 'restart=old\\n' >"$state/previous.record"; echo p >"$state/previous.json"; printf 'heal=4\\n' >"$state/record"; (verb_rollback)${ended}`,
      `begun\np\npreflight\ntransact restart old heal=4\n${REPORT("restarted")}0\n`,
    ],
    [
      `${begun}(verb_rollback)${ended}`,
      "begun\nharden-zot: no hardened configuration came before the current one, and only restore goes back to the open one; nothing was changed\n1\n",
    ],
    [
      `${begun}echo o >"$state/original.json"; (verb_restore)${ended}`,
      `begun\no\npreflight\ntransact restart none heal=0\n${REPORT("restarted")}0\n`,
    ],
    [`${begun}(verb_restore)${ended}`, `begun\n${'{"sha256":"","action":"unchanged","zot":""}'}\n0\n`],
    [
      `${begun}ends_here() { return 1; }; (verb_restore)${ended}; (echo x | verb_close)${ended}; (verb_uninstall)${ended}`,
      "begun\n0\n".repeat(3),
    ],
    [
      `${begun}: >"$state/record"; (verb_restore)${ended}; ls "$state"`,
      "begun\nharden-zot: the configuration from before the first hardening is lost (~/harden-zot/original.json): put the one that zot shall go back to there and run again, or set the host's farewell: read-only; nothing was changed\n1\nrecord\nsecrets\n",
    ],
    [
      `${begun}(echo c | verb_close)${ended}`,
      `begun\nc\npreflight\ntransact restart none heal=0\n${REPORT("restarted")}0\n`,
    ],
    [
      `${begun}verb=restore; : >"$state/original.none"; : >"$config"; look() { echo look; }; command_stop() { echo stop; }; commit() { cat "$txn/commit" | cut -d ' ' -f 1-4; }; (verb_restore)${ended}; ls`,
      `begun\nlook\nstop\nyes healthy http://old restore\n${'{"sha256":"","action":"stopped","zot":""}'}\n0\nharden-zot\n`,
    ],
    [
      `${begun}: >"$state/original.none"; : >"$config"; look() { :; }; command_stop() { said=no; return 1; }; (verb_restore)${ended}; ls`,
      "begun\nharden-zot: the service manager could not stop command: no; nothing was changed\n1\nconfig.json\nharden-zot\n",
    ],
    [
      `${begun}: >"$state/original.none"; look() { :; }; command_stop() { :; }; write_journal() { return 1; }; (verb_restore)${ended}`,
      "begun\nharden-zot: zot is stopped and ~/config.json removed, but that could not be noted down in ~/harden-zot/txn: make it writable and run restore again\n1\n",
    ],
    [
      `${begun}name=a-b; (printf hello | verb_put_secret)${ended}; cat "$state"/secrets/*; ls "$state"; ls -ld "$state/secrets" | cut -c1-10`,
      "begun\n~/harden-zot/secrets/a-b-2cf24dba5fb0.json\n0\nhellosecrets\ndrwx------\n",
    ],
    [
      `${begun}name=a.b; (printf hello | verb_put_secret)${ended}`,
      "harden-zot: name=a.b: letters, digits and dashes only\n2\n",
    ],
    [`${begun}(printf hello | verb_put_secret)${ended}`, "harden-zot: activate needs name=\n2\n"],
    [
      `${begun}name=a; (printf '' | verb_put_secret)${ended}`,
      "begun\nharden-zot: put-secret name=a got nothing on its standard input\n1\n",
    ],
    [
      `${begun}name=a; put_in_place() { return 1; }; (printf a | verb_put_secret)${ended}`,
      "begun\nharden-zot: cannot write ~/harden-zot/secrets/a-ca978112ca1b.json\n1\n",
    ],
    [`${begun}(verb_uninstall)${ended}; ls`, "begun\n0\n"],
    [
      `${begun}: >"$state/record"; (verb_uninstall)${ended}; ls`,
      "begun\nharden-zot: the registry is still hardened by this agent: run restore first\n1\nharden-zot\n",
    ],
    ...["original.json", "original.none"].map(
      (original): Row => [
        `${begun}for f in ${original} agent.sh tenure; do : >"$state/$f"; done; (verb_uninstall)${ended}; ls "$state"`,
        `begun\n0\n${original}\nsecrets\n`,
      ],
    ),
    [
      `${begun}owner=a life=b; printf 'owner=z\\n' >"$state/tenure"; take_tenure() { echo "take $takeover"; }; verb_claim; : >"$state/record"; takeover=''; verb_claim`,
      "begun\ntake z\nbegun\ntake \n",
    ],
    [`${begun}owner=a; (verb_claim)${ended}`, "harden-zot: activate needs life=\n2\n"],
    [
      `lock() { echo locked; }; recover() { echo recovered; }; begin; zot=''; (begin)${ended}`,
      "locked\nrecovered\nharden-zot: activate needs zot=\n2\n",
    ],
    [`lock() { :; }; recover() { :; }; begin; sh -c 'kill -HUP $$; kill -PIPE $$; echo alive'`, "alive\n"],
  ]);

  const status =
    'read_version() { :; }; place() { printf p; }; served_file() { :; }; zot=/bin/sh; service_state() { running=yes pid=1; }; is_ready() { [ "$1" = http://127.0.0.1:1 ]; }; config_sha256() { printf c; }; sha256() { printf h; }; ';
  const shown = (changes: object = {}) => {
    const { found = "null", ...rest } = changes as Record<string, unknown>;
    const all = {
      agent: null,
      owner: null,
      life: null,
      place: "p",
      original: null,
      found,
      zot: "2.1.20",
      config: null,
      applied: null,
      restart: null,
      heal: 0,
      guarded: false,
      secrets: [],
      service: "running",
      healthy: false,
      journal: null,
      lock: null,
      drift: [],
      trouble: [],
      ...rest,
    };
    return `${JSON.stringify(all).replace('"found":"null"', '"found":null')}\n`;
  };
  const plain = `echo '{"http":{"port":"1"}}' >"$config"; chmod 644 "$config"; `;
  const hardened = `echo '{"http":{"port":"1","auth":{"a":1},"accessControl":{"harden-zot/x":1}}}' >"$config"; printf 'sha256=c\\nrestart=r\\nzot=2.1.20\\nheal=3\\n' >"$state/record"; `;
  const applied = { original: "lost", config: "c", applied: "c", restart: "r", heal: 3, guarded: true, healthy: true };
  prints([
    [`${status}${plain}verb_status`, shown({ config: "c", healthy: true, found: '{"http":{"port":"1"}}' })],
    [`${status}${hardened}verb_status`, shown(applied)],
    [
      `${status}${hardened}printf 'owner=o:1\\nlife=l\\n' >"$state/tenure"; : >"$state/secrets/a.json"; : >"$state/secrets/b.json"; : >"$txn/switch"; echo 7 >"$state/lock"; echo x >"$state/agent.sh"; : >"$state/original.json"; verb_status`,
      shown({
        ...applied,
        agent: "h",
        owner: "o:1",
        life: "l",
        original: "yes",
        secrets: ["a.json", "b.json"],
        journal: "switch",
        lock: "7",
      }),
    ],
    [`${status}service_state() { running=no; }; verb_status`, shown({ service: "stopped" })],
    [
      `${status}verb_status`,
      shown({
        trouble: [
          "command runs, but not from ~/config.json, which is not there: correct the host's configDirectory setting",
        ],
      }),
    ],
    [
      `${status}${plain}service_state() { running=missing; }; version=''; verb_status`,
      shown({
        config: "c",
        found: '{"http":{"port":"1"}}',
        zot: null,
        service: "missing",
        trouble: [
          "/bin/sh --version did not say a version: is it zot, built for this machine?",
          "the service manager does not know command (service=command): correct the host's service setting",
        ],
      }),
    ],
    [
      `${status}${plain}most_compared=2; verb_status`,
      shown({
        config: "c",
        healthy: true,
        trouble: [
          "~/config.json has more than 2 bytes or none, and cannot be compared with what is to replace it: is it zot's?",
        ],
      }),
    ],
    ...["602", "620"].map(
      (mode): Row => [
        `${status}${hardened}chmod ${mode} "$config"; verb_status`,
        shown({ ...applied, drift: ["config.json is writable by others"] }),
      ],
    ),
    [
      `${status}${hardened}rm "$state/record"; printf 'owner=o\\n' >"$state/tenure"; verb_status`,
      shown({
        original: "lost",
        owner: "o",
        config: "c",
        guarded: true,
        healthy: true,
        drift: ["the record of what was applied is lost"],
      }),
    ],
    [
      `${status}${hardened}rm "$state/record"; verb_status`,
      shown({ original: "lost", config: "c", guarded: true, healthy: true }),
    ],
    [
      `${status}config_sha256() { return 1; }; ${plain}(verb_status); echo $?`,
      "harden-zot: cannot read ~/config.json\n1\n",
    ],
    [`zot=''; (verb_status)`, "harden-zot: activate needs zot=\n"],
  ] as Row[]);

  const drift = "drift='' healthy=true running=yes; zot=/bin/sh; ";
  prints([
    [`${drift}find_drift; echo "$drift"`, "\n"],
    [
      `${drift}applied_rollback=yes live=''; find_drift; echo "$drift"`,
      ',"the configuration was rolled back by hand","config.json is gone"\n',
    ],
    [
      `${drift}live=x version=9; find_drift; echo "$drift"`,
      ',"config.json was edited","zot is 9, and was 2.1.20 when the configuration was applied"\n',
    ],
    [
      `${drift}secret_files='a.json b.json' version=''; find_drift; echo "$drift"`,
      ',"secrets/a.json is gone","secrets/b.json is gone","/bin/sh --version did not say a version: is it zot, built for this machine?"\n',
    ],
    [`${drift}running=no healthy=false; find_drift; echo "$drift"`, ',"the service is not running"\n'],
    [
      `${drift}running=missing; find_drift; echo "$drift"`,
      ',"the service manager does not know command (service=command): correct the host\'s service setting"\n',
    ],
    [`${drift}healthy=false; find_drift; echo "$drift"`, ',"zot does not answer at http://zot/readyz"\n'],
    [
      `place >a; place >b; cmp a b && [ "$(wc -c <a)" -le 13 ] && echo same; mkdir -p other/x; (state=$PWD/other/x; place) >b; cmp -s a b || echo other`,
      "same\nother\n",
    ],
  ]);

  const verbs = ["status", "activate", "rollback", "claim", "restore", "close", "uninstall", "put_secret"];
  const stub = verbs.map((verb) => `verb_${verb}() { echo ${verb}; }; `).join("");
  prints([
    ...verbs.map((verb): Row => [`${stub}main ${verb.replace("_", "-")} dir=$PWD`, `${verb}\n`]),
    [
      `(main dance dir=$PWD); echo $?`,
      "harden-zot: 'dance' is not a verb; give status, put-secret, activate, rollback, claim, restore, close or uninstall\n2\n",
    ],
    [
      `(main status dir=/none/x); echo $?`,
      "harden-zot: the directory /none/x is not there: make it, owned by the user zot runs as (install -d -m 700 -o USER /none/x), or correct the host's configDirectory setting\n1\n",
    ],
    [
      `id() { echo 77777; }; (main status dir=$PWD) 2>&1 | sed 's/user id [0-9]*/user id N/'`,
      "harden-zot: ~ belongs to user id N and this login is 77777: log in as the user zot runs as, who owns that directory\n",
    ],
    [
      `${stub}main status dir=$PWD; echo "$state $config $txn"`,
      "status\n~/harden-zot ~/config.json ~/harden-zot/txn\n",
    ],
  ]);
});
