import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AgentDriver, withRealm, withRule } from "../../sandbox/host/agent-driver";
import { TestHost } from "../../sandbox/host/test-host";
import { findCommand } from "../../sandbox/tools";
import { serializeConfig } from "../../src/config/render";

// What a power cut leaves of a host, one thing at a time; `bench/power` tries them all together.

let test: TestHost;
beforeEach(async () => {
  test = await TestHost.start();
});
afterEach(() => test.stop());

describe("a lock that a power cut left", () => {
  it.each([
    ["empty", ""],
    ["of zeros", "\0\0\0\0\0"],
    ["with the beginning of a process id", "1"],
  ])("%s is broken at once", async (_, content) => {
    writeFileSync(test.file("harden-zot/lock"), content);
    const { code, stderr } = await test.agent.activate(test.config, { wait: 20 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(test.names("harden-zot")).not.toContain("lock");
  });

  // Linux signals threads as it does processes, and ps does not list them.
  it.skipIf(!existsSync("/proc/self/task"))("with the id of a process that a thread has now is broken", async () => {
    const thread = readdirSync("/proc/self/task").find((id) => Number(id) !== process.pid);
    writeFileSync(test.file("harden-zot/lock"), `${thread}\n`);
    expect(await test.agent.activate(test.config)).toMatchObject({ code: 0, stderr: "" });
  });

  it("and somebody had broken leaves nothing behind", async () => {
    mkdirSync(test.file("harden-zot/lock.breaking"));
    expect((await test.agent.activate(test.config)).code).toBe(0);
    expect(test.names("harden-zot").filter((name) => name.startsWith("lock"))).toEqual([]);
  });

  it("is broken although somebody was about to break it", async () => {
    writeFileSync(test.file("harden-zot/lock"), "");
    mkdirSync(test.file("harden-zot/lock.breaking"));
    expect((await test.agent.activate(test.config, { wait: 20 })).code).toBe(0);
    expect(test.names("harden-zot").filter((name) => name.startsWith("lock"))).toEqual([]);
  });
});

describe("a journal that is not whole", () => {
  /** As left by a run that was cut off right after it had switched to another realm. */
  const leave = async (file: string, line: string) => {
    await test.agent.activate(test.config);
    mkdirSync(test.file("harden-zot/txn"));
    writeFileSync(test.file("harden-zot/txn/before.json"), serializeConfig(test.config));
    writeFileSync(test.file(`harden-zot/txn/${file}`), line);
    writeFileSync(test.file("config.json"), serializeConfig(withRealm(test.config, "cut")));
  };

  it.each([
    ["switch", ""],
    ["switch", "no"],
    ["switch", "no healthy http://127.0.0.1:5000 activate\n"],
    ["switch", "\0\0\0\0\0\0\0\0"],
    ["rollback", ""],
    ["commit", "yes healthy http://127.0.0.1:5000 restore 0123456789ab\n"],
  ])("%s %j: stops, removes nothing, and says what lies there and what to do", async (file, line) => {
    await leave(file, line);
    const before = readFileSync(test.file("config.json"), "utf8");
    const { code, stderr } = await test.agent.activate(test.config);
    expect(code).toBe(1);
    const txn = test.file("harden-zot/txn");
    expect(stderr).toBe(
      `harden-zot: ${txn}/${file} is not whole, so what an interrupted run was doing is not known; nothing was changed. ${txn} holds: before.json ${file}. Look at ${test.file("config.json")}: where it is not what zot should serve, put before.json, the one from before that run, in its place; then remove ${txn} and run again\n`,
    );
    expect(readFileSync(test.file("config.json"), "utf8")).toBe(before);
    expect(test.names("harden-zot/txn")).toEqual(["before.json", file]);
    // The lock is free for whoever mends it.
    expect(existsSync(test.file("harden-zot/lock"))).toBe(false);
  });

  it("is what the program stops at, and nothing else: a whole one is recovered from", async () => {
    await test.agent.activate(test.config);
    const mv = join(test.directory, "tools/mv");
    writeFileSync(mv, `#!/bin/sh\ncase $* in *new.json*) kill -9 $PPID ;; esac\nexec ${findCommand("mv")} "$@"\n`, {
      mode: 0o755,
    });
    const env = { ...process.env, PATH: `${join(test.directory, "tools")}:${process.env.PATH}` };
    const killed = new AgentDriver(test.host, { env });
    expect((await killed.activate(withRealm(test.config, "cut"))).code).not.toBe(0);
    const line = readFileSync(test.file("harden-zot/txn/switch"), "utf8");
    expect(line).toMatch(/^yes healthy http:\/\/127\.0\.0\.1:\d+ activate [0-9a-f]{64}\n$/);
    unlinkSync(mv);
    const { code, stderr } = await test.agent.activate(test.config);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "harden-zot: rolling back an interrupted activate\n" });
    expect(test.live()).toEqual(test.config);
  });
});

it("does not take half of a version for another version", async () => {
  await test.agent.activate(test.config);
  const file = test.file("harden-zot/version");
  const whole = readFileSync(file, "utf8");
  for (const half of ["", whole.slice(0, -2), `${whole.slice(0, -3)}\0\0\0`, `${whole.split("\n")[0]}\n`]) {
    writeFileSync(file, half);
    expect((await test.agent.status()).drift).toEqual([]);
    expect(readFileSync(file, "utf8")).toBe(whole);
  }
});

describe("where sync takes no files", () => {
  /** A sync as macOS has it: it takes no notice of its arguments. */
  const olderHost = (dd = "") => {
    const tools = join(test.directory, "tools");
    const real = findCommand("dd");
    writeFileSync(join(tools, "sync"), `#!/bin/sh\necho "sync $*" >>${test.directory}/synced\n`, { mode: 0o755 });
    writeFileSync(
      join(tools, "dd"),
      `#!/bin/sh\ncase $* in *fsync*) ${dd || `echo "dd $*" >>${test.directory}/synced`} ;; esac\nexec ${real} "$@"\n`,
      { mode: 0o755 },
    );
    return new AgentDriver(test.host, { env: { ...process.env, PATH: `${tools}:${process.env.PATH}` } });
  };
  const synced = () => readFileSync(join(test.directory, "synced"), "utf8").split("\n").slice(0, -1);

  it("syncs files by dd, and everything for the sake of directories", async () => {
    const agent = olderHost();
    expect((await agent.activate(test.config)).code).toBe(0);
    // It is asked once what it takes.
    expect(synced().filter((line) => line === "sync --help")).toHaveLength(1);
    expect(synced()).toContain(`dd if=/dev/null of=${test.file("harden-zot/txn/switch.new")} conv=notrunc,fsync`);
    expect(synced().filter((line) => line === "sync ")).not.toHaveLength(0);
    expect((await agent.activate(withRule(test.config, "x/**"))).stdout).toContain('"reloaded"');
    expect(synced()).toContain(`dd if=/dev/null of=${test.file("config.json")} conv=notrunc,fsync`);
    expect(test.live()).toEqual(withRule(test.config, "x/**"));
  });

  it("syncs everything where dd cannot", async () => {
    const agent = olderHost("exit 1");
    expect((await agent.activate(test.config)).code).toBe(0);
    expect(new Set(synced())).toEqual(new Set(["sync --help", "sync "]));
    expect(readdirSync(test.file("harden-zot"))).not.toContain("txn");
  });
});
