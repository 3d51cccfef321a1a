import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Ajv from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findZot } from "../sandbox/parts";
import { CLUSTER, REDIS, S3, twoHosts } from "../sandbox/two-hosts";
import { renderConfig, serializeConfig } from "../src/config/render";
import type { Settings } from "../src/settings/settings";
import type { ZotConfig } from "../src/zot/types";

describe("a registry scaled out, as zot is told", () => {
  let directory: string;
  let credentialsFile: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "scale-out-"));
    credentialsFile = join(directory, "credentials.json");
    writeFileSync(credentialsFile, '{"clientid":"zot","clientsecret":"x"}');
    writeFileSync(join(directory, "keys.json"), `{"hashKey":"${"k".repeat(32)}"}`);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const render = (settings: Settings) =>
    renderConfig(settings, {
      issuer: "https://authentik.example.test/application/o/zot/",
      credentialsFile,
      sessionKeysFile: join(directory, "keys.json"),
    });

  function verify(config: ZotConfig): { status: number | null; said: string } {
    const file = join(directory, "config.json");
    writeFileSync(file, serializeConfig(config));
    const { status, stdout } = spawnSync(findZot().where, ["verify", file], { encoding: "utf8" });
    return { status, said: stdout };
  }

  const ALL: [string, unknown][] = [
    ["cluster, S3 and redis", { cluster: CLUSTER, s3: S3, redis: REDIS }],
    [
      "another S3",
      { cluster: CLUSTER, redis: REDIS, s3: { ...S3, regionEndpoint: "http://minio:9000", secure: false } },
    ],
    ["S3 alone", { s3: S3 }],
    ["redis alone", { redis: { url: "unix:///run/redis/redis.sock" } }],
    ["nothing", undefined],
  ];

  it.each(ALL)("%s: zot verify accepts it", (_, scaleOut) => {
    expect(verify(render(twoHosts(scaleOut)))).toMatchObject({ status: 0 });
  });

  // zot's own schema is not ours to ship; it is used where the workplace has it.
  const schemaFile = resolve(__dirname, "../../../shared/vectors/zot-2.1.20-config.schema.json");
  it.skipIf(!existsSync(schemaFile)).each(ALL)("%s: so does zot's JSON Schema", (_, scaleOut) => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, "utf8")));
    validate(render(twoHosts(scaleOut)));
    expect(validate.errors).toBeNull();
  });

  it("names everything where zot looks for it", () => {
    const { cluster, extensions, http, storage } = render(twoHosts({ cluster: CLUSTER, s3: S3, redis: REDIS }));
    expect(cluster).toEqual(CLUSTER);
    expect(storage).toMatchObject({
      remoteCache: true,
      cacheDriver: { name: "redis", url: REDIS.url, keyprefix: "zot" },
      storageDriver: { name: "s3", bucket: "zot-images", rootdirectory: "/zot", secure: true, skipverify: false },
    });
    expect(http.auth).toMatchObject({
      sessionDriver: { name: "redis", url: REDIS.url, keyprefix: "zotsession" },
    });
    // zot refuses both together.
    expect(http.auth).not.toHaveProperty("sessionKeysFile");
    expect(extensions?.sync?.downloadDir).toBe(`${storage.rootDirectory}/sync`);
  });

  it("leaves a registry that is not scaled out as it was", () => {
    const { http, storage, ...config } = render(twoHosts(undefined));
    expect(Object.keys(storage)).toEqual(["rootDirectory", "gc", "gcDelay", "gcInterval", "dedupe"]);
    expect(http.auth).toHaveProperty("sessionKeysFile");
    expect(config.extensions?.sync).not.toHaveProperty("downloadDir");
    expect(config).not.toHaveProperty("cluster");
  });

  it.each([
    ["http.auth.sessionDriver.password", { http: { auth: { sessionDriver: { name: "redis", password: "hunter2" } } } }],
    ["storage.cacheDriver.url", { storage: { cacheDriver: { url: "redis://:hunter2@redis:6379" } } }],
    ["storage.storageDriver.secretkey", { storage: { storageDriver: { secretkey: "hunter2" } } }],
  ])("refuses the secret %s in extraConfig, and does not repeat it", (path, extraConfig) => {
    const settings = twoHosts({ cluster: CLUSTER, s3: S3, redis: REDIS }, { extraConfig });
    expect(() => render(settings)).toThrow(`extraConfig.${path} is a secret`);
    expect(() => render(settings)).not.toThrow(/hunter2/);
  });
});
