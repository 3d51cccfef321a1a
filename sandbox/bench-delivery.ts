import { execFileSync } from "node:child_process";
import Table from "cli-table3";
import { serializeConfig } from "../src/zot/config";
import { withRealm, withRule } from "./host/agent-driver";
import { type LoopReport, RequestLoop } from "./host/request-loop";
import { TestHost } from "./host/test-host";
import { findZot } from "./parts";
import { waitForHttp } from "./process";

/** Counted runs of each. */
const RUNS = 9;
const CHANGES = 20;

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;

async function repeat(times: number, run: (index: number) => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < times; index++) values.push(await run(index));
  return median(values);
}

async function under(test: TestHost, work: () => Promise<unknown>): Promise<LoopReport> {
  const loop = new RequestLoop(`${test.url}/v2/`);
  await work();
  await waitForHttp(`${test.url}/readyz`);
  return loop.stop();
}

async function milliseconds(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Of a call that did what it should. */
async function call(running: ReturnType<TestHost["agent"]["activate"]>, action?: string): Promise<number> {
  const { code, stdout, stderr, milliseconds } = await running;
  if (code !== 0 || (action && JSON.parse(stdout).action !== action)) throw new Error(`${stdout}${stderr}`);
  return milliseconds;
}

async function bench(test: TestHost): Promise<void> {
  const { agent, config } = test;
  const [control = "", ...stop] = test.host.service.stop;
  const [, ...start] = test.host.service.start;
  const bareRestart = async () => {
    execFileSync(control, stop);
    execFileSync(control, start);
    await waitForHttp(`${test.url}/readyz`);
  };
  const realm = (index: number) => withRealm(config, `realm-${index}`);
  await call(agent.activate(config), "restarted");

  const changes = await under(test, async () => {
    for (let n = 1; n <= CHANGES; n++) await call(agent.activate(withRule(config, `team-${n}/**`)), "reloaded");
  });
  const window = (work: (index: number) => Promise<unknown>) =>
    repeat(RUNS, async (index) => (await under(test, () => work(index))).window);
  const windows = [
    ["restart by the agent", await window((index) => call(agent.activate(realm(index)), "restarted"))],
    ["bare restart", await window(bareRestart)],
  ] as const;
  console.log(
    `\n${CHANGES} changes of the access rules, each proved: ${changes.failed} of ${changes.requests} requests failed`,
  );
  for (const [name, ms] of windows) console.log(`${name}: no answer for ${ms.toFixed(0)} ms (median of ${RUNS})`);

  await call(agent.activate(config), "restarted");
  const verify = await repeat(RUNS, () =>
    milliseconds(() => execFileSync(test.host.zot, ["verify", test.file("config.json")])),
  );
  const restart = await repeat(RUNS, () => milliseconds(bareRestart));
  const reloaded = await repeat(RUNS, (n) => call(agent.activate(withRule(config, `x-${n}/**`)), "reloaded"));
  const restarted = await repeat(RUNS, (n) => call(agent.activate(realm(n)), "restarted"));
  const unchanged = await repeat(RUNS, () => call(agent.activate(realm(RUNS - 1)), "unchanged"));
  const status = await repeat(RUNS, () => call(agent.call("status")));
  const secret = await repeat(RUNS, () => call(agent.call("put-secret", { name: "x" }, serializeConfig(config))));
  const table = new Table({ head: ["call", "all", "of it zot", "the agent's own"], style: { head: [], border: [] } });
  const row = (name: string, all: number, zot = 0) =>
    table.push([name, ...[all, zot, all - zot].map((ms) => `${ms.toFixed(0)} ms`)]);
  row("status", status);
  row("put-secret", secret);
  row("activate, nothing to do", unchanged);
  row("activate, reload", reloaded, verify);
  row("activate, restart", restarted, verify + restart);
  console.log(
    `\nmedian of ${RUNS}; zot verify ${verify.toFixed(0)} ms, bare stop, start and first answer ${restart.toFixed(0)} ms`,
  );
  console.log(table.toString());
}

async function main(): Promise<void> {
  const { name, kind, version } = findZot();
  console.log(`\nDelivery; ${name} ${kind} ${version}`);
  const test = await TestHost.start();
  try {
    await bench(test);
  } finally {
    test.stop();
  }
}

main().catch((error: Error) => {
  console.error(`bench-delivery: ${error.message}`);
  process.exitCode = 1;
});
