import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { beginTenure, engineAge, isDestroy, ownerIn } from "./tenure";

const command = (name: string, stdout: unknown) => ({
  name,
  type: "command:local:Command",
  component: "",
  outputs: { stdout: JSON.stringify(stdout) },
});

describe("the owner", () => {
  it("is the one in the state, whatever the stack is called by now", () => {
    const last = [command("indri-config", {}), command("indri-tenure", { owner: "prod:0123456789ab", life: "1" })];
    expect(ownerIn(last, "renamed")).toBe("prod:0123456789ab");
  });

  it("of a stack without one is made, another each time, and names the stack", () => {
    const [one, other] = [ownerIn([], "prod"), ownerIn([command("indri-key", { owner: "else" })], "prod")];
    expect(one).toMatch(/^prod:[0-9a-f]{12}$/);
    expect(other).toMatch(/^prod:[0-9a-f]{12}$/);
    expect(one).not.toBe(other);
  });
});

it("a tenure that begins is another than the one before, of the same owner", () => {
  const [before, after] = [beginTenure("prod:0123456789ab"), beginTenure("prod:0123456789ab")];
  expect(before.owner).toBe(after.owner);
  expect(before.life).not.toBe(after.life);
});

describe("a destroy is told by the processes it runs under", () => {
  const under = (...pulumi: string[]) =>
    new Map([
      [4, { parent: 3, seconds: 1, words: ["node", "bin/key.ts", "end"] }],
      [
        3,
        {
          parent: 2,
          seconds: 20,
          words: ["/home/me/.pulumi/plugins/resource-command-v1.2.1/pulumi-resource-command", "127.0.0.1:4"],
        },
      ],
      [2, { parent: 1, seconds: 21, words: pulumi }],
      [1, { parent: 0, seconds: 90_061, words: ["sh", "-c", "pulumi destroy"] }],
    ]);

  it.each([
    ["pulumi", "destroy", "--yes"],
    ["/usr/bin/pulumi", "-C", "registry", "-s", "prod", "down"],
    ["pulumi", "--non-interactive", "dn"],
    ["pulumi", "-C", "up", "destroy"],
    ["pulumi", "-s", "up", "destroy"],
    ["/nix/store/x/bin/.pulumi-wrapped", "destroy"],
  ])("%s %s", (...words) => expect(isDestroy(4, under(...words))).toBe(true));

  it.each([
    ["pulumi", "up", "--target", "destroy"],
    ["pulumi", "-s", "prod", "refresh"],
    ["pulumi", "-s", "down", "up"],
    ["pulumi", "--stack", "destroy", "up", "--yes"],
    ["pulumi", "-C", "down", "up"],
    ["pulumi-language-nodejs", "destroy"],
    ["bash", "destroy"],
  ])("not %s %s", (...words) => expect(isDestroy(4, under(...words))).toBe(false));

  it("and so is for how long its engine has been at work", () => {
    expect(engineAge(4, under("/usr/bin/pulumi", "up"))).toBe(21);
    expect(engineAge(4, under("bash", "up"))).toBeUndefined();
    expect(engineAge(4, new Map())).toBeUndefined();
  });

  it("of the processes of this machine", async () => {
    const directory = mkdtempSync(join(tmpdir(), "engine-"));
    const engine = join(directory, "pulumi");
    symlinkSync(process.execPath, engine);
    const started = spawn(engine, ["-e", "setTimeout(() => {}, 30000)"]);
    await sleep(2200);
    const age = engineAge(started.pid);
    started.kill();
    rmSync(directory, { recursive: true });
    expect([2, 3, 4]).toContain(age);
  });

  it("where no process can be listed, nothing is ended for it", () => expect(isDestroy(4, new Map())).toBe(false));
});
