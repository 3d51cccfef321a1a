import { describe } from "vitest";
import { agentFunctions, type Row } from "../../sandbox/host/agent-functions";

const { prints } = agentFunctions();

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
