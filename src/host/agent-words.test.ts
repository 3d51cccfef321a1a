import { describe, expect, it } from "vitest";
import { agentFunctions, type Row } from "../../sandbox/host/agent-functions";

const { prints, run } = agentFunctions();

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
