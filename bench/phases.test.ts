import { expect, it } from "vitest";
import { phasesOf } from "./phases";

const entry = (time: number, message: string) =>
  JSON.stringify({ time: new Date(time).toISOString(), level: "INFO", msg: message, v: 5 });

/** As the engine prints them: some on the line of another text. */
const logged = (times: number[], messages: string[]) => async () => ({
  code: 0,
  output: `Previewing: ${messages.map((message, index) => entry(times[index] as number, message)).join("\n")}\n`,
});

const START = "deploymentExecutor.Execute(...): waiting for incoming events";
const STACK = "EvalSourceIterator produced a registration: t=pulumi:pulumi:Stack,name=x,#props=0";
const ASKS = "handling default provider request for package pulumi";
const DECLARES =
  "EvalSourceIterator produced a registration: t=harden-zot:identity:RelyingParty,name=registry,#props=0";
const DONE = "deploymentExecutor.Execute(...): incoming source event (nil? true, <nil>)";

it("tells a preview's phases apart", async () => {
  const now = Date.now();
  const phases = await phasesOf(
    logged([now + 100, now + 300, now + 350, now + 800, now + 900], [START, STACK, ASKS, DECLARES, DONE]),
  );
  expect(phases.slice(1, -1)).toEqual([200, 50, 450, 100]);
});

it("takes what an empty program does after its start for modules", async () => {
  const now = Date.now();
  const phases = await phasesOf(logged([now + 100, now + 300, now + 700], [START, STACK, DONE]));
  expect(phases.slice(1, -1)).toEqual([200, 400, 0, 0]);
});

it("shows why a run failed", async () => {
  await expect(phasesOf(async () => ({ code: 255, output: "error: no such stack" }))).rejects.toThrow("no such stack");
});
