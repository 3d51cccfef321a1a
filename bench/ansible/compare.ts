import { stopDaemon } from "../../sandbox/process";
import { type Registry, type Sandbox, startSandbox } from "../../sandbox/sandbox";
import type { Run } from "../../sandbox/stack";
import type { RawSettings } from "../../src/settings/settings";
import { benchmark, conditions, markdownTable, median } from "../benchmark";
import { ensureAnsible, WAIT_SECONDS } from "./ansible";
import { type Contender, hardenZot, playbook } from "./contenders";
import { type Distance, startDistance } from "./distance";
import { type Failure, failing, inTurn, LEFT_ALONE, mend, type Runs } from "./measure";

/** Runs without a change, and of a changed access rule. */
const TIMES = { alone: 5, asked: 3 };

/** Round trip (ms) to a registry host in another place. */
const FAR = 20;

/** The settings that all begin with, and what is changed in them. */
class Changes {
  constructor(private readonly sandbox: Sandbox) {}

  none(): RawSettings {
    return this.sandbox.settings();
  }

  /** One more tag may be moved: an access rule, which zot takes up by a reload. */
  rule(run: number): RawSettings {
    const settings = this.none();
    (settings["harden-zot:access"] as { tags: { mutable: string[] } }).tags.mutable.push(`edge-${run}`);
    return settings;
  }

  /** For which zot has to be started again. */
  realm(): RawSettings {
    return this.changed("harden-zot:registry", { realm: "another-realm" });
  }

  /** A key that zot does not know. */
  unknownKey(): RawSettings {
    return this.changed("harden-zot:registry", { extraConfig: { http: { compatt: ["docker2s2"] } } });
  }

  /** A setting that this project does not know. */
  misspelt(): RawSettings {
    return this.changed("harden-zot:access", { anonymus: ["read"] });
  }

  private changed(section: keyof RawSettings, values: object): RawSettings {
    const settings = this.none();
    Object.assign(settings[section] as object, values);
    return settings;
  }
}

const RUN_COLUMNS = ["run", "with", "wall time", "SSH connections", "SSH sessions", "requests failed", "longest gap"];

function runRow(kind: string, { asked, contender, measured }: Runs): string[] {
  return [
    kind,
    contender.name,
    `${seconds(measured).toFixed(2)} s`,
    String(median(measured.map(({ connections }) => connections))),
    String(median(measured.map(({ sessions }) => sessions))),
    ...(asked.length === 0
      ? ["", ""]
      : [
          `${sum(asked, "failed")} of ${sum(asked, "requests")}`,
          milliseconds(Math.max(...asked.map(({ longest }) => longest))),
        ]),
  ];
}

const seconds = (measured: Runs["measured"]) => median(measured.map((one) => one.seconds));
const sum = (all: Runs["asked"], count: "failed" | "requests") => all.reduce((total, one) => total + one[count], 0);
const milliseconds = (ms: number) => `${ms.toFixed(0)} ms`;

const later = `${LEFT_ALONE} s later`;
const FAILURE_COLUMNS = ["what is wrong", "with", "exit code", "requests failed", "away for", later, "the next run"];

function failureRow(kind: string, { away, contender, failed, longest, next, requests, run }: Failure): string[] {
  return [
    kind,
    contender.name,
    String(run.code),
    `${failed} of ${requests}`,
    away ? `${(longest / 1000).toFixed(0)} s, and on` : milliseconds(longest),
    away ? "still away" : "serving",
    `exit code ${next.code}`,
  ];
}

const reports = (kind: string, failures: Failure[]) =>
  failures.map(
    ({ contender: { name, report }, next, run }) =>
      `- ${kind}, ${name}: ${report(run)}${run.code === next.code ? "" : `; the next run: ${report(next)}`}`,
  );

interface Results {
  same: Runs[];
  rule: Runs[];
  preview: Run;
  unknownKey: Failure[];
  issuerDown: Failure[];
}

/** The goals, each with what was measured; this project comes first everywhere, the careful playbook last. */
function goals({ issuerDown, preview, rule, same, unknownKey }: Results): [string, boolean][] {
  const times = (against: Runs | undefined) => seconds(against?.measured ?? []) / seconds(same[0]?.measured ?? []);
  const failed = (runs: Runs[]) => sum(runs[0]?.asked ?? [], "failed");
  const harmless = ([ours]: Failure[]) => ours?.run.code !== 0 && ours?.failed === 0 && !ours.away;
  const [usual, careful] = [times(same.at(1)), times(same.at(2))];
  return [
    [`no change: 3 times as fast as the usual playbook or more (${usual.toFixed(1)})`, usual >= 3],
    [`no change: 3 times as fast as the careful playbook or more (${careful.toFixed(1)})`, careful >= 3],
    [`no change: no request fails (${failed(same)})`, failed(same) === 0],
    [`one rule: no request fails (${failed(rule)})`, failed(rule) === 0],
    [`a misspelt setting: the preview refuses it (exit code ${preview.code})`, preview.code !== 0],
    ["a key that zot does not know: refused, and no request fails", harmless(unknownKey)],
    ["the issuer is down: a restart is refused, and no request fails", harmless(issuerDown)],
  ];
}

async function failingInTurn(kind: string, contenders: Contender[], settings: RawSettings): Promise<Failure[]> {
  console.error(`${kind} ...`);
  const failures: Failure[] = [];
  for (const contender of contenders) failures.push(await failing(contender, settings));
  return failures;
}

async function compare(sandbox: Sandbox, contenders: [Contender, ...Contender[]]): Promise<Results> {
  const changes = new Changes(sandbox);
  const rows: string[][] = [];
  const run = async (kind: string, settings: (run: number) => RawSettings, times: typeof TIMES) => {
    console.error(`${kind} ...`);
    const all = await inTurn(contenders, settings, times);
    rows.push(...all.map((runs) => runRow(kind, runs)));
    return all;
  };
  await run("first hardening", () => changes.none(), { alone: 0, asked: 1 });
  const same = await run("no change", () => changes.none(), TIMES);
  for (const { distance } of contenders) distance.roundTrip = FAR;
  await run(`no change, host ${FAR} ms away`, () => changes.none(), { alone: TIMES.alone, asked: 0 });
  for (const { distance } of contenders) distance.roundTrip = 0;
  const rule = await run("one rule", (n) => changes.rule(n), TIMES);
  console.log(markdownTable(RUN_COLUMNS, rows));

  sandbox.stack.configure(changes.misspelt());
  const preview = await sandbox.stack.preview();
  const unknownKey = await failingInTurn("unknown key", contenders, changes.unknownKey());
  await mend(contenders, changes.none());
  const { daemon, restart } = sandbox.authentik;
  if (!daemon || !restart) throw new Error("the Authentik given is not ours to stop");
  await stopDaemon(daemon);
  const issuerDown = await failingInTurn("issuer down", contenders, changes.realm());
  await restart();
  const failures = [
    unknownKey.map((one) => failureRow("unknown key", one)),
    issuerDown.map((one) => failureRow("issuer down", one)),
  ];
  console.log(markdownTable(FAILURE_COLUMNS, failures.flat()));
  console.log([...reports("unknown key", unknownKey), ...reports("issuer down", issuerDown)].join("\n"));
  console.log(`- misspelt setting, \`pulumi preview\`: ${contenders[0].report(preview)}\n`);
  return { same, rule, preview, unknownKey, issuerDown };
}

benchmark("Against Ansible", async () => {
  if (process.env.AUTHENTIK_URL)
    throw new Error("it takes the issuer down: unset AUTHENTIK_URL, so that a stand-in is used");
  const ansible = await ensureAnsible(console.error);
  const sandbox = await startSandbox(console.error, 3);
  try {
    const [, second, third] = sandbox.registries as [Registry, Registry, Registry];
    const ways = await Promise.all(sandbox.registries.map(({ host }) => startDistance(host.ssh.port)));
    const [first, ...others] = ways as [Distance, Distance, Distance];
    const parts = [...sandbox.parts, { name: "ansible-core", kind: "real", version: ansible.version } as const];
    const times = `times: median of ${TIMES.alone}; requests: of ${TIMES.asked} more runs; the playbooks wait ${WAIT_SECONDS} s`;
    console.log(`${conditions(parts)}; ${times}`);
    const results = await compare(sandbox, [
      hardenZot(sandbox, first),
      playbook(ansible, "usual", sandbox, second, others[0]),
      playbook(ansible, "careful", sandbox, third, others[1]),
    ]);
    const judged = goals(results);
    for (const [goal, met] of judged) console.log(`${met ? "PASS" : "FAIL"}  ${goal}`);
    if (judged.some(([, met]) => !met)) process.exitCode = 1;
  } finally {
    await sandbox.stop();
  }
});
