import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { agentText } from "../../src/host/agent-text";

/** A script, and what it prints on either stream, with its directory as ~. */
export type Row = [script: string, printed: string];

/** What every script finds: words as the program gives them, and a directory of its own with a state in it. */
const PRELUDE = `verb=activate
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
`;

/**
 * The agent's functions one by one, without a registry: a tool that they call is a function of the same name in the script. For
 * one file of tests.
 */
export function agentFunctions() {
  const home = mkdtempSync(join(tmpdir(), "harden-zot-functions-"));
  const [functions, prelude] = [join(home, "functions.sh"), join(home, "prelude.sh")];
  writeFileSync(functions, agentText().replace(/\nmain "\$@"\nexit\n$/, "\n"));
  writeFileSync(prelude, PRELUDE);
  let laid = 0;

  const lay = (script: string) => {
    const directory = join(home, String(laid++));
    mkdirSync(directory);
    writeFileSync(`${directory}.script`, script);
    return directory;
  };

  /** Each in a subshell of one shell: a process for every one of them would cost ten times as much. */
  const execute = (directories: string[], input: string) => {
    const all = `. ${functions}\nfor d in "$@"; do (cd "$d" && exec >../\${d##*/}.out 2>&1 && . ${prelude} && . "$d.script"); done`;
    spawnSync("sh", ["-c", all, "sh", ...directories], { input, timeout: 300_000 });
  };

  const printed = (directory: string) => {
    const file = `${directory}.out`;
    return existsSync(file) ? readFileSync(file, "utf8").replaceAll(directory, "~") : "(it did not run)";
  };

  const tabled: string[] = [];
  beforeAll(() => execute(tabled, ""), 310_000);
  afterAll(() => rmSync(home, { recursive: true }));

  return {
    /** A test for each, named by its script. */
    prints(rows: Row[]): void {
      for (const [script, expected] of rows) {
        const directory = lay(script);
        tabled.push(directory);
        it(script, () => expect(printed(directory)).toBe(expected));
      }
    },
    run(script: string, stdin = ""): string {
      const directory = lay(script);
      execute([directory], stdin);
      return printed(directory);
    },
  };
}
