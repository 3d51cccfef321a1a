import { describe, expect, it } from "vitest";
import { CLUSTER, REDIS, S3, twoHosts } from "../../sandbox/two-hosts";
import { renderAccess } from "../config/render";
import type { ScaleOutSettings } from "../settings/scale-out";
import { review } from "./review";
import { describeScaleOut, lintScaleOut } from "./scale-out-lints";

describe("the lints of several hosts", () => {
  const found = (scaleOut: unknown, registry: object = {}, hosts: object[] = [{}, {}]) => {
    const settings = twoHosts(scaleOut, registry);
    const members = hosts.map((change, index) => ({
      name: `host-${index}`,
      config: renderAccess({ ...settings, registry: { ...settings.registry, ...change } }),
    }));
    return lintScaleOut(members).map(({ lint, severity, what }) => `${severity} ${lint}: ${what}`);
  };
  const local = { cluster: { ...CLUSTER, members: ["127.0.0.1:5050", "127.0.0.1:5051"] }, s3: S3 };
  const LOCAL = { ...local, redis: { url: "redis://127.0.0.1:6379" } };
  const on = (port: number, address = "127.0.0.1") => ({ listen: { address, port } });

  it.each<[string, string[], unknown, object?, object[]?]>([
    ["one host", [], undefined, {}, [{}]],
    ["one host with S3 alone", [], { s3: S3 }, {}, [{}]],
    ["all of it on loopback", [], LOCAL, {}, [on(5050), on(5051)]],
    ["two hosts that share nothing", ["warning independent-hosts: host-0, host-1 share nothing"], undefined],
    [
      "shared S3 without redis",
      ["error unshared-metadata: host-0, host-1 share no redis (remoteCache)"],
      local,
      {},
      [on(5050), on(5051)],
    ],
    [
      "shared redis without S3",
      ["error unshared-storage: host-0, host-1 share no S3 storage"],
      { ...LOCAL, s3: undefined },
      {},
      [on(5050), on(5051)],
    ],
    [
      "shared S3 without a cluster",
      ["error two-writers: host-0, host-1 share S3 storage and are no cluster"],
      { ...LOCAL, cluster: undefined },
    ],
    [
      "a cluster alone",
      [
        "error unshared-metadata: host-0, host-1 share no redis (remoteCache)",
        "error unshared-storage: host-0, host-1 share no S3 storage",
        "warning cluster-in-the-clear: 10.0.0.1:5050, 10.0.0.2:5050 have no TLS",
      ],
      { cluster: CLUSTER },
    ],
    [
      "a host on a port of no member",
      ["error member-missing: host-1 listens on port 5052, and no member of 127.0.0.1:5050, 127.0.0.1:5051 has it"],
      LOCAL,
      {},
      [on(5050), on(5052)],
    ],
    [
      "a member that listens for itself alone",
      [
        "error member-unreachable: host-1 listens on 127.0.0.1 alone",
        "warning cluster-in-the-clear: 10.0.0.1:5050, 10.0.0.2:5050 have no TLS",
      ],
      { ...LOCAL, cluster: CLUSTER },
      {},
      [on(5050, "0.0.0.0"), on(5050)],
    ],
    [
      "a member that is no host",
      ["warning members-differ: the cluster has 3 members, and this stack delivers 2 hosts"],
      { ...LOCAL, cluster: { ...CLUSTER, members: [...LOCAL.cluster.members, "127.0.0.1:5052"] } },
      {},
      [on(5050), on(5051)],
    ],
    [
      "a network in between",
      [
        "warning cluster-in-the-clear: 10.0.0.1:5050, 10.0.0.2:5050 have no TLS",
        "warning open-redis: redis://redis.internal:6379 is reached over the network",
      ],
      { cluster: CLUSTER, s3: S3, redis: REDIS },
    ],
    [
      "a redis over TLS, and members too",
      ["warning open-redis: rediss://redis:6379 is reached over the network"],
      { cluster: CLUSTER, s3: S3, redis: { url: "rediss://redis:6379" } },
      { extraConfig: { http: { tls: { cert: "/c", key: "/k" } } } },
    ],
    [
      "redis taken out again by extraConfig",
      ["error unshared-metadata: host-0, host-1 share no redis (remoteCache)"],
      LOCAL,
      { extraConfig: { storage: { remoteCache: false } } },
      [on(5050), on(5051)],
    ],
    [
      "redis in a socket, S3 and a member on IPv6 loopback",
      [],
      {
        ...LOCAL,
        cluster: { ...CLUSTER, members: ["[::1]:5050", "localhost:5051"] },
        redis: { url: "unix:///run/redis.sock" },
      },
      {},
      [on(5050, "::1"), on(5051)],
    ],
    [
      "one host with a redis over the network",
      ["warning open-redis: redis://redis.internal:6379 is reached over the network"],
      { redis: REDIS },
      {},
      [{}],
    ],
    [
      "a host outside of the cluster",
      [
        "error member-missing: host-2 listens on port 5053, and no member of 127.0.0.1:5050, 127.0.0.1:5051 has it",
        "warning members-differ: the cluster has 2 members, and this stack delivers 3 hosts",
      ],
      LOCAL,
      {},
      [on(5050), on(5051), on(5053)],
    ],
    [
      "a host without the scaleOut that the other has",
      [
        "error unshared-metadata: host-0, host-1 share no redis (remoteCache)",
        "error unshared-storage: host-0, host-1 share no S3 storage",
        "warning members-differ: the cluster has 2 members, and this stack delivers 2 hosts",
      ],
      LOCAL,
      {},
      [on(5050), { ...on(5051), scaleOut: undefined }],
    ],
  ])("%s", (_, findings, scaleOut, registry = {}, hosts = [{}, {}]) => {
    expect(found(scaleOut, registry, hosts)).toEqual(findings);
  });

  it("say why and what to do", () => {
    const line = describeScaleOut({ lint: "independent-hosts", severity: "warning", what: "a, b share nothing" });
    expect(line).toMatch(/^independent-hosts: a, b share nothing; an API key.*externalUrl.*\. Set harden-zot:registry/);
  });

  it("stop the program, or are shown, with all the others", () => {
    expect(review(twoHosts(undefined)).warnings.join("\n")).toMatch(/independent-hosts: indri, indri-2 share nothing/);
    const half: Partial<ScaleOutSettings> = { s3: S3 as never };
    expect(() => review(twoHosts(half))).toThrow(
      /not be one registry:\n {2}- unshared-metadata: .*\n {2}- two-writers: /,
    );
  });
});
