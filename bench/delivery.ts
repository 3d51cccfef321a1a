import { execFileSync } from "node:child_process";
import { withRealm, withRule } from "../sandbox/host/agent-driver";
import { type LoopReport, RequestLoop } from "../sandbox/host/request-loop";
import { TestHost } from "../sandbox/host/test-host";
import { findZot } from "../sandbox/parts";
import { waitForHttp } from "../sandbox/process";
import { serializeConfig } from "../src/config/render";
import { benchmark, conditions, markdownTable, median, milliseconds } from "./benchmark";

/** Counted runs of each. */
const RUNS = 9;
const CHANGES = 20;

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
    markdownTable(
      ["under a loop of requests, one millisecond apart", "failed", "no answer for"],
      [
        [
          `${CHANGES} changes of the access rules, each proved in force`,
          `${changes.failed} of ${changes.requests}`,
          `${changes.window.toFixed(0)} ms`,
        ],
        ...windows.map(([name, ms]) => [`${name}, median of ${RUNS}`, "", `${ms.toFixed(0)} ms`]),
      ],
    ),
  );

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
  const row = (name: string, all: number, zot = 0) => [
    name,
    ...[all, zot, all - zot].map((ms) => `${ms.toFixed(0)} ms`),
  ];
  console.log(
    markdownTable(
      [`call, median of ${RUNS}`, "all", "of it zot", "the agent's own"],
      [
        row("status", status),
        row("put-secret", secret),
        row("activate, nothing to do", unchanged),
        row("activate, reload", reloaded, verify),
        row("activate, restart", restarted, verify + restart),
      ],
    ),
  );
}

benchmark("The host agent", async () => {
  console.log(conditions([findZot()]));
  const test = await TestHost.start();
  try {
    await bench(test);
  } finally {
    test.stop();
  }
});
