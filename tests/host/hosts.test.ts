import { describe, expect, it } from "vitest";
import { HOST_KINDS } from "../../bench/hosts/kinds";
import { tryOut } from "../../bench/hosts/trial";

/** `make hosts` has the others too, of which tests/host/agent-systemd.test.ts tries two. */
const SAMPLE = ["systemd, a system unit, through sudo", "docker, through sudo", "podman, rootless"];

describe.each(HOST_KINDS.filter(({ name }) => SAMPLE.includes(name)))("a real $name", (kind) => {
  const missing = kind.missing();
  if (missing) console.warn(`no real ${kind.name} here: ${missing}`);

  it.skipIf(missing)("is hardened, reloaded, rolled back with zot's last errors, and given back", async () => {
    expect(Object.keys(await tryOut(kind))).toEqual(["status", "harden", "change a rule", "roll back", "restore"]);
  });
});

it("is sampled by names that there are", () => {
  expect(HOST_KINDS.map(({ name }) => name)).toEqual(expect.arrayContaining(SAMPLE));
});
