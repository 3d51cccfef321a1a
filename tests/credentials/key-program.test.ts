import { spawn } from "node:child_process";
import { createServer, request, type Server } from "node:http";
import { resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../../sandbox/process";
import { ApiKeys, type ListedKey } from "../../src/credentials/api-keys";
import { end, revoke } from "../../src/credentials/key-program";
import type { Kept, MintedKey } from "../../src/credentials/key-requests";
import type { KeyTenure } from "../../src/credentials/labels";
import { login } from "../../src/credentials/login";
import { basic } from "../../src/http/http";
import { type LoginWorld, startLoginWorld } from "../login-world";

const PROGRAM = resolve(__dirname, "../../bin/key.ts");
/** What states of before November 2026 run. */
const OLD_PROGRAM = resolve(__dirname, "../../src/credentials/main.ts");
const OWNER = "test:0123456789ab";
const LIFE = "aaaaaaaaaaaa";
/** A label as those states have it. */
const OLD = "harden-zot test deploy-bot #";

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Between the program and the registry: counts its requests, and kills it at one of them. */
class Gate {
  readonly seen: string[] = [];
  /** Answered with 401 in the registry's place. */
  refused: string | undefined;
  private victim: { kill: () => void } | undefined;
  private at = 0;
  private answered = false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async open(port: () => number): Promise<Gate> {
    const own = await freePort();
    const server = createServer((incoming, outgoing) => {
      const { headers, method, url: path } = incoming;
      const step = `${method} ${path?.split("?")[0]}`;
      const die = gate.step(step);
      if (step === gate.refused) return outgoing.writeHead(401).end();
      if (die === "before") return gate.kill();
      const onward = request({ host: "127.0.0.1", port: port(), method, headers, path }, (answer) => {
        if (die === "after") {
          answer.resume().on("end", () => gate.kill());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    const gate = new Gate(server, `http://127.0.0.1:${own}`);
    await new Promise<void>((settle) => server.listen(own, "127.0.0.1", settle));
    return gate;
  }

  /** Kills at the n-th request, counted from 1: before the registry sees it, or before its answer arrives. */
  arm(victim: { kill: () => void }, at: number, when: "before" | "after"): void {
    Object.assign(this, { victim, at, answered: when === "after" });
  }

  disarm(): void {
    this.victim = undefined;
  }

  private step(step: string): "before" | "after" | undefined {
    this.seen.push(step);
    if (!this.victim || this.seen.length !== this.at) return undefined;
    return this.answered ? "after" : "before";
  }

  private kill(): void {
    this.victim?.kill();
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let here: LoginWorld;
let gate: Gate;

beforeAll(async () => {
  let port = 0;
  gate = await Gate.open(() => port);
  here = await startLoginWorld((own) => {
    port = own;
    return gate.url;
  });
});
afterAll(async () => {
  gate?.close();
  await here?.stop();
});

const keyLogin = () => ({
  registryUrl: here.registryUrl,
  username: here.world.bot.username,
  password: here.world.bot.appPassword,
  flowSlug: here.world.ciFlow,
});
const labels = () => [`harden-zot ${OWNER} ${here.world.bot.username} `, OLD];
const labelIn = (life: string) => `${labels()[0]}${life} #`;

function program(
  verb: string,
  input: object,
  before?: Kept | KeyTenure,
  kill?: { at: number; when: "before" | "after" },
  file = PROGRAM,
): Promise<Run> {
  gate.seen.length = 0;
  const child = spawn(process.execPath, ["--require", resolve(__dirname, "../../loader.js"), file, verb], {
    env: { PATH: process.env.PATH, ...(before ? { PULUMI_COMMAND_STDOUT: JSON.stringify(before) } : {}) },
  });
  if (kill) gate.arm({ kill: () => child.kill("SIGKILL") }, kill.at, kill.when);
  child.stdin.on("error", () => {}).end(JSON.stringify(input));
  const run: Run = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    run.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    run.stderr += chunk;
  });
  return new Promise((settle) =>
    child.on("close", (code) => {
      gate.disarm();
      settle({ ...run, code });
    }),
  );
}

async function succeed<Result>(...call: Parameters<typeof program>): Promise<Result> {
  const { code, stderr, stdout } = await program(...call);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return (stdout ? JSON.parse(stdout) : undefined) as Result;
}

const mint = (period = 1, owner = labelIn(LIFE)) => succeed<MintedKey>("mint", mintRequest(period, owner));
const mintRequest = (period: number, owner = labelIn(LIFE)) => ({
  ...keyLogin(),
  owner,
  period,
  expiresAfter: 3_600_000,
  group: here.world.users,
});
const retireRequest = ({ uuid }: MintedKey, keepPrevious = true) => ({
  ...keyLogin(),
  labels: labels(),
  life: LIFE,
  current: uuid,
  keepPrevious,
});

async function keysOfBot(): Promise<ApiKeys> {
  const { username, appPassword: password } = here.world.bot;
  const session = await login({ registryUrl: here.registryUrl, username, password, flowSlug: here.world.ciFlow });
  return new ApiKeys(here.registryUrl, username, session.fetch);
}

const listed = async (): Promise<ListedKey[]> => (await keysOfBot()).list();
const uuids = async () => (await listed()).map(({ uuid }) => uuid).sort();

async function works(apiKey: string): Promise<boolean> {
  const authorization = basic(here.world.bot.username, apiKey);
  return (await fetch(`${here.registryUrl}/v2/`, { headers: { authorization } })).status === 200;
}

beforeEach(async () => {
  const keys = await keysOfBot();
  for (const { uuid } of await keys.list()) await keys.revoke(uuid);
});

describe("mint", () => {
  it("makes a key that works, says whose it is, and expires", async () => {
    const key = await mint(7);
    expect(key).toMatchObject({ label: `${labelIn(LIFE)}7`, period: 7, superseded: [] });
    expect(Date.parse(key.expiresAt) - Date.parse(key.createdAt)).toBeGreaterThan(3_590_000);
    expect(Date.parse(key.expiresAt) - Date.parse(key.createdAt)).toBeLessThanOrEqual(3_601_000);
    expect(await works(key.apiKey)).toBe(true);
    expect(await listed()).toMatchObject([
      { uuid: key.uuid, label: `${labelIn(LIFE)}7`, expirationDate: key.expiresAt },
    ]);
  });

  it("names the keys that were there, and leaves them working", async () => {
    const first = await mint(1);
    const second = await mint(2);
    expect(second.superseded).toEqual([first.uuid]);
    expect([await works(first.apiKey), await works(second.apiKey)]).toEqual([true, true]);
  });

  it("takes a key back that it cannot prove", async () => {
    gate.refused = "GET /v2/";
    const { code, stderr, stdout } = await program("mint", mintRequest(1));
    gate.refused = undefined;
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/made an API key for deploy-bot-\w+ and answers 401 to it.*revoked again/);
    expect(await uuids()).toEqual([]);
  });

  it("is for members of the group alone", async () => {
    const { username, appPassword: password } = here.world.outsider;
    const { code, stderr, stdout } = await program("mint", { ...mintRequest(1), username, password });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/did not log it in.*group/);
  });

  it("tells a mistake in one sentence, without the password", async () => {
    const wrong = "wrong-password-nobody-may-see";
    const { code, stderr } = await program("mint", { ...mintRequest(1), password: wrong });
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/refused the login of deploy-bot/);
    expect(stderr).not.toContain(wrong);
  });
});

describe("retire", () => {
  it("keeps the key before for running jobs, and revokes the one before that", async () => {
    const first = await mint(1);
    const one = await succeed<Kept>("retire", retireRequest(first));
    expect(one).toEqual({ current: first.uuid, life: LIFE });
    const second = await mint(2);
    const two = await succeed<Kept>("retire", retireRequest(second), one);
    expect(two).toEqual({ current: second.uuid, previous: first.uuid, life: LIFE });
    expect(await works(first.apiKey)).toBe(true);
    const third = await mint(3);
    const three = await succeed<Kept>("retire", retireRequest(third), two);
    expect(three).toEqual({ current: third.uuid, previous: second.uuid, life: LIFE });
    expect(await Promise.all([first, second, third].map(({ apiKey }) => works(apiKey)))).toEqual([false, true, true]);
  });

  it("keeps nothing of a key that leaked", async () => {
    const first = await mint(1);
    const second = await mint(2);
    expect(await succeed("retire", retireRequest(second, false), { current: first.uuid })).toEqual({
      current: second.uuid,
      life: LIFE,
    });
    expect([await works(first.apiKey), await works(second.apiKey)]).toEqual([false, true]);
  });

  it("says the same when it is run again", async () => {
    const first = await mint(1);
    const second = await mint(2);
    const kept = await succeed<Kept>("retire", retireRequest(second), { current: first.uuid });
    expect(await succeed("retire", retireRequest(second), kept)).toEqual(kept);
    expect(await uuids()).toEqual([first.uuid, second.uuid].sort());
  });

  it("removes the key of a failed attempt, not the one that was handed out before it", async () => {
    const first = await mint(1);
    const lost = await mint(2);
    const second = await mint(2);
    const kept = await succeed<Kept>("retire", retireRequest(second), { current: first.uuid });
    expect(kept).toEqual({ current: second.uuid, previous: first.uuid, life: LIFE });
    expect(await Promise.all([first, lost, second].map(({ apiKey }) => works(apiKey)))).toEqual([true, false, true]);
  });
});

describe("retire, where what the last run left is no help", () => {
  const alive = async (...keys: MintedKey[]) => Promise.all(keys.map(({ apiKey }) => works(apiKey)));

  it("keeps the last two where it remembers nothing", async () => {
    const [first, second, third] = [await mint(1), await mint(2), await mint(3)];
    expect(await succeed("retire", retireRequest(third))).toMatchObject({ previous: second.uuid });
    expect(await alive(first, second, third)).toEqual([false, true, true]);
  });

  it("keeps the newest where what it remembers is gone, as in an old copy of the state", async () => {
    const [gone, second, third, fourth] = [await mint(1), await mint(2), await mint(3), await mint(4)];
    await (await keysOfBot()).revoke(gone.uuid);
    await succeed("retire", retireRequest(fourth), { current: gone.uuid });
    expect(await alive(second, third, fourth)).toEqual([false, true, true]);
  });

  it("spares nothing of a key that leaked, whatever it is called, and remembers", async () => {
    const elsewhere = await mint(1, "harden-zot another-name deploy-bot #");
    const older = await mint(2, "harden-zot yet-another deploy-bot #");
    const now = await mint(3);
    await succeed("retire", retireRequest(now, false), { current: elsewhere.uuid, previous: older.uuid });
    expect(await alive(elsewhere, older, now)).toEqual([false, false, true]);
  });
});

describe("a tenure", () => {
  const request = () => ({ ...keyLogin(), owner: OWNER });
  const tenure = { owner: OWNER, life: LIFE };
  const left = (destroyed: boolean, held: KeyTenure = tenure) => end(keyLogin(), held, destroyed);
  const madeInLives = async () => [await mint(1, `${OLD}`), await mint(2), await mint(3, labelIn("bbbbbbbbbbbb"))];

  it("is another one at each beginning, and kept from then on", async () => {
    const inherited = { ...request(), inherited: OLD };
    const [one, other] = [await succeed<KeyTenure>("begin", inherited), await succeed<KeyTenure>("begin", inherited)];
    expect(one).toEqual({ owner: OWNER, life: expect.stringMatching(/^[0-9a-f]{12}$/), inherited: OLD });
    expect(other.life).not.toBe(one.life);
    expect(await succeed("keep", inherited, one)).toEqual(one);
  });

  it("that was replaced ends its own keys, and says what it left alone", async () => {
    const [old, own, later] = await madeInLives();
    const { code, stderr, stdout } = await program("end", request(), tenure);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toBe(`${here.world.bot.username}: an API key was left alone, made by what has replaced this\n`);
    expect(await uuids()).toEqual([old?.uuid, later?.uuid].sort());
    expect(own).toBeDefined();
  });

  it("ends what it inherited", async () => {
    const [, , later] = await madeInLives();
    await left(false, { ...tenure, inherited: OLD });
    expect(await uuids()).toEqual([later?.uuid]);
  });

  it("of a stack that is destroyed ends those of every other, from an old copy of the state too", async () => {
    const [old] = await madeInLives();
    expect(await left(true)).toBe(undefined);
    expect(await uuids()).toEqual([old?.uuid]);
  });
});

describe("a state from before there were tenures", () => {
  it("has its keys made as before", async () => {
    const { code, stdout } = await program("mint", mintRequest(1, OLD), undefined, undefined, OLD_PROGRAM);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ label: `${OLD}1`, superseded: [] });
  });

  it("leaves them alone where a `-key` is replaced", async () => {
    const key = await mint(1, OLD);
    const run = await program("revoke", { ...keyLogin(), owner: OLD }, undefined, undefined, OLD_PROGRAM);
    const sentence = `${here.world.bot.username}: its API keys are left alone; the tenure of the identity ends them\n`;
    expect(run).toEqual({ code: 0, stdout: "", stderr: sentence });
    expect(await uuids()).toEqual([key.uuid]);
  });
});

describe("keys that this stack did not make", () => {
  it("are never revoked", async () => {
    const keys = await keysOfBot();
    const expires = new Date(Date.now() + 60_000);
    const strangers = [];
    for (const label of ["by hand", "harden-zot other deploy-bot #1", labels()[0]?.trim() ?? "", OLD.slice(0, -1)])
      strangers.push((await keys.mint(label, expires)).uuid);
    const first = await mint(1);
    expect(first.superseded).toEqual([]);
    await succeed("retire", retireRequest(first, false));
    await end(keyLogin(), { owner: OWNER, life: LIFE, inherited: OLD }, true);
    await revoke({ ...keyLogin(), owner: OLD });
    expect(await uuids()).toEqual(strangers.sort());
  });
});

/** Every request to the registry, as the point where the machine dies. */
describe("killed at any step", () => {
  const WHEN = ["before", "after"] as const;

  it("a mint leaves the key before working, and at most one too many, which the next run removes", async () => {
    const first = await mint(1);
    const kept = await succeed<Kept>("retire", retireRequest(first));
    const probe = await mint(2);
    const steps = [...gate.seen];
    expect(steps).toContain("POST /zot/auth/apikey");
    await (await keysOfBot()).revoke(probe.uuid);
    for (const when of WHEN) {
      for (let at = 1; at <= steps.length; at++) {
        const killed = await program("mint", mintRequest(2), undefined, { at, when });
        expect(killed, `${when} ${steps[at - 1]}`).toEqual({ code: null, stdout: "", stderr: "" });
        expect((await uuids()).length).toBeLessThanOrEqual(2);
        const second = await mint(2);
        expect(await works(first.apiKey)).toBe(true);
        await succeed("retire", retireRequest(second), kept);
        expect(await uuids()).toEqual([first.uuid, second.uuid].sort());
        await (await keysOfBot()).revoke(second.uuid);
      }
    }
  });

  it.each(["retire", "end"])("%s is completed by the next run", async (verb) => {
    const first = await mint(1);
    const second = await mint(2);
    await mint(2);
    const last = await mint(2);
    const input = verb === "retire" ? retireRequest(last) : { ...keyLogin(), owner: OWNER };
    const before = verb === "retire" ? { current: second.uuid } : { owner: OWNER, life: LIFE };
    const left = verb === "retire" ? [second.uuid, last.uuid].sort() : [];
    for (let at = 1; at <= 20; at++) {
      const killed = await program(verb, input, before, { at, when: at % 2 ? "before" : "after" });
      if (killed.code === 0) return expect(await uuids()).toEqual(left);
      if (verb === "retire") expect(await works(last.apiKey)).toBe(true);
    }
    expect.fail(`never got to an end; ${first.label} was the first`);
  });
});
