import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { IDENTITIES, type World } from "./world";

export interface Operation {
  /** Does it, and goes on as an operator would, until the stack is settled. @throws when it cannot be */
  run(world: World, pick: number): Promise<void>;
}

const SECOND_HOST = "registry-host-2";

/** What operators do, and what befalls them. */
export const OPERATIONS = {
  up: { run: (world) => world.settle() },
  "up --target": {
    run: async (world, pick) => {
      await world.stack.up("--target", (await someResource(world, pick)).urn);
      await world.settle();
    },
  },
  "up --replace": {
    run: async (world, pick) => {
      const { type, urn } = await someResource(world, pick);
      const run = await world.stack.up("--replace", urn);
      // Authentik takes no second object of one name, nor is a group to lose its members: such a replacement may fail, and
      // must leave everything as it was.
      if (!type.startsWith("authentik:")) world.expect(run);
      await world.settle();
    },
  },
  "up --target-replace": {
    run: async (world, pick) => {
      await world.stack.up("--target-replace", (await someResource(world, pick)).urn);
      await world.settle();
    },
  },
  "rename a host": {
    run: async (world, pick) => {
      world.firstHost.name = `registry-${pick % 100}`;
      await world.settle();
    },
  },
  "readdress a host": {
    run: async (world) => {
      const { firstHost } = world;
      firstHost.address = firstHost.address === "127.0.0.1" ? "localhost" : "127.0.0.1";
      await world.settle();
    },
  },
  "rename the stack": {
    run: async (world) => {
      await world.rename();
      await world.settle();
    },
  },
  "add or remove a host": {
    run: async (world) => {
      const { hosts } = world.wanted;
      if (hosts.length === 2) hosts.pop();
      else hosts.push({ name: SECOND_HOST, address: "127.0.0.1" });
      await world.settle();
    },
  },
  "add or remove an identity": {
    run: async (world) => {
      const { identities } = world.wanted;
      if (identities.length === 2) identities.pop();
      else identities.push(IDENTITIES[1]);
      await world.settle();
    },
  },
  rotate: {
    run: async (world) => {
      world.wanted.rotation++;
      await world.settle();
    },
  },
  "a leaked key": { run: (world) => world.declareLeaked() },
  refresh: {
    run: async (world) => {
      world.expect(await world.stack.refresh());
      await world.settle();
    },
  },
  cancel: { run: (world, pick) => interrupted(world, "SIGINT", pick) },
  "kill -9": { run: (world, pick) => interrupted(world, "SIGKILL", pick) },
  export: {
    run: async (world) => {
      world.exports.push({ text: await world.stack.state(), wanted: world.snapshotOfWanted() });
    },
  },
  import: {
    run: async (world, pick) => {
      const fitting = world.exports.filter(({ wanted }) => wanted === world.snapshotOfWanted());
      const older = fitting[pick % Math.max(1, fitting.length)];
      if (!older) return world.settle();
      const file = join(world.sandbox.directory, "older.json");
      writeFileSync(file, older.text);
      world.expect(await world.stack.pulumi(["stack", "import", "--file", file, "--force"]));
      // What the state does not know of is asked for first (docs/troubleshooting.md).
      world.expect(await world.stack.refresh());
      await world.settle();
    },
  },
  "a second stack": {
    run: async (world) => {
      const second = await world.secondStack();
      const { code, output } = await second.up();
      if (code === 0 || !/its registry is delivered by/.test(output)) throw new Error(`it was not refused:\n${output}`);
      world.expect(await second.destroy());
    },
  },
  "a host loses harden-zot/": {
    run: async (world, pick) => {
      world.lose(world.delivered[pick % world.delivered.length] as (typeof world.delivered)[0]);
      await world.settle();
    },
  },
  "destroy and up": {
    run: async (world) => {
      await world.destroy();
      await world.settle();
    },
  },
} satisfies Record<string, Operation>;

/** One of the stack's own resources. */
async function someResource(world: World, pick: number): Promise<Resource> {
  const { resources } = JSON.parse(await world.stack.state()).deployment as { resources: Resource[] };
  const own = resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:"));
  return own[pick % own.length] as Resource;
}

interface Resource {
  urn: string;
  type: string;
  custom: boolean;
}

/** An `up` that has something to do ends by a signal, somewhere in the middle. */
async function interrupted(world: World, signal: NodeJS.Signals, pick: number): Promise<void> {
  world.wanted.rotation++;
  world.configure();
  await world.stack.interruptedUp(signal, pick % 4000);
  await world.settle();
}
