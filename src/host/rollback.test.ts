import { describe, expect, it } from "vitest";
import { OperatorError } from "../operator/error";
import type { HostSettings } from "../settings/hosts";
import type { AgentStatus } from "./agent";
import { describeRollback, type Reach, rollBack } from "./rollback";

const host = (name: string): HostSettings => ({
  name,
  address: `${name}.example.test`,
  port: 22,
  user: "zot",
  hostKey: "ssh-ed25519 AAAA",
  zot: "/opt/zot",
  configDirectory: "/etc/zot",
  service: { manager: "systemd", name: "zot", scope: "system" },
  sudo: false,
  farewell: "restore",
  changes: [],
});
const HOSTS = ["one", "two", "three"].map(host);
const GOOD = { code: 0, stdout: '{"sha256":"bbbbbbbbbbbbbbbb","action":"restarted","zot":"2.1.20"}\n', stderr: "" };

/** A host answers with what is given for it, or rolls back; `asked` is who was told to, in order. */
function reach(
  answers: Record<string, Awaited<ReturnType<Reach["execute"]>>>,
  applied: string | null = "aaaaaaaaaaaaaaaa",
) {
  const asked: string[] = [];
  const observe: Reach["observe"] = async () => ({
    kind: "installed",
    status: { applied, config: applied } as AgentStatus,
  });
  const execute: Reach["execute"] = async ({ name }, command) => {
    asked.push(`${name}: ${command}`);
    return answers[name] ?? GOOD;
  };
  return { asked, observe, execute };
}

describe("rollBack", () => {
  it("goes through the hosts in their order and says what serves now", async () => {
    const hosts = reach({});
    const outcomes = await rollBack(HOSTS, hosts);
    const command = "sh /etc/zot/harden-zot/agent.sh rollback zot=/opt/zot service=systemd:zot";
    expect(hosts.asked).toEqual(["one", "two", "three"].map((name) => `${name}: ${command}`));
    expect(outcomes.map(describeRollback)[2]).toBe(
      "three: rolled back; zot 2.1.20 serves config.json bbbbbbbbbbbb (before: aaaaaaaaaaaa)",
    );
  });

  it("stops at the first that fails, and says what was done and what was not", async () => {
    const refusal = "harden-zot: the OIDC issuer cannot be discovered; nothing was changed\n";
    const hosts = reach({ two: { code: 1, stdout: "", stderr: refusal } });
    const said = (await rollBack(HOSTS, hosts)).map(describeRollback);
    expect(hosts.asked.map((line) => line.split(":")[0])).toEqual(["one", "two"]);
    expect(said[0]).toMatch(/^one: rolled back/);
    expect(said.slice(1)).toEqual([
      "two: failed: the OIDC issuer cannot be discovered; nothing was changed",
      "three: not touched, because two failed",
    ]);
  });

  it("does not claim to know how it ended when the connection is lost", async () => {
    const [outcome] = await rollBack([host("one")], reach({ one: { code: 255, stdout: "", stderr: "" } }));
    expect(outcome && describeRollback(outcome)).toMatch(
      /^one: failed: host .* connection was lost .*`pulumi preview`/,
    );
  });

  it("touches none when one cannot be reached, or was never hardened", async () => {
    const unreachable = reach({});
    unreachable.observe = async ({ name }) => {
      if (name === "three") throw new OperatorError("host three cannot be reached");
      return { kind: "installed", status: { applied: "a" } as AgentStatus };
    };
    await expect(rollBack(HOSTS, unreachable)).rejects.toThrow("host three cannot be reached");
    expect(unreachable.asked).toEqual([]);
    const fresh = reach({}, null);
    await expect(rollBack(HOSTS, fresh)).rejects.toThrow(
      /^one, two, three: .* no configuration there.*Nothing was changed/,
    );
    expect(fresh.asked).toEqual([]);
  });
});
