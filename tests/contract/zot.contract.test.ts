import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import "./zot-verify";
import "./zot-answers";
import "./zot-distribution";
import "./zot-identity";
import "./zot-reload";
import "./zot-sync";
import "./zot-timeouts";
import "./zot-differential";
import { BINARIES, killRunning, Scratch, Zot } from "./zot-harness";
import { hangingIssuer, sharedRoot, type Wait } from "./zot-waits";

/*
 * What this project relies on in zot 2.1.20. Every case holds for the stand-in; with ZOT=/path/to/zot every case is
 * also put to that zot. One file, so that what zot waits for passes while the rest is run.
 */

/** Begun first and looked at last: the others run meanwhile. */
const waits: Record<string, { hanging: Promise<Wait>; shared: ReturnType<typeof sharedRoot> }> = {};

function begun(name: string) {
  const wait = waits[name];
  if (!wait) throw new Error(`nothing was begun for ${name}`);
  return wait;
}

beforeAll(() => {
  for (const [name, binary] of BINARIES) {
    waits[name] = { hanging: hangingIssuer(binary), shared: sharedRoot(binary) };
    // A failure is for the test that looks.
    Promise.allSettled([waits[name].hanging, waits[name].shared]);
  }
});

afterAll(async () => {
  killRunning();
  await Promise.allSettled(Object.values(waits).flatMap(({ hanging, shared }) => [hanging, shared]));
  killRunning();
});

describe.each(BINARIES)("%s: starts that fail", (name, binary) => {
  const scratch = new Scratch();
  afterAll(() => scratch.remove());

  it("ends with 0 when the port is taken, with 1 when the password file is not there", async () => {
    const port = createServer();
    await new Promise<void>((done) => port.listen(0, "127.0.0.1", done));
    const taken = String((port.address() as { port: number }).port);
    const unlucky = await new Zot(binary, scratch, { storage: {}, http: { port: taken } }).start();
    expect(unlucky.exitCode).toBe(0);
    expect(unlucky.log).toContain(`listen tcp 127.0.0.1:${taken}: bind: address already in use`);
    port.close();
    const auth = { htpasswd: { path: "/nowhere" } };
    const keyless = await new Zot(binary, scratch, { storage: {}, http: { auth } }).start();
    expect(keyless.exitCode).toBe(1);
    expect(keyless.log).toContain('"message":"failed to init controller"');
    expect(keyless.log).toContain("open /nowhere: no such file or directory");
  });

  it("waits ten seconds for another process on its root directory, and ends with 1", async () => {
    const { beside, firstStatus, after } = await begun(name).shared;
    expect([beside.exitCode, firstStatus]).toEqual([1, 200]);
    expect(beside.log).toContain("already in use");
    expect(beside.ms).toBeGreaterThan(9_500);
    // A process that was killed holds nothing.
    expect(after.exitCode).toBeUndefined();
  }, 75_000);

  it("waits half a minute for an issuer that hangs, its port closed, and ends with 2", async () => {
    const { exitCode, ms } = await begun(name).hanging;
    expect(exitCode).toBe(2);
    expect(ms).toBeGreaterThan(29_000);
  }, 75_000);
});
