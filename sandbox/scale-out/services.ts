import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildOnce } from "../go-build";
import { type Daemon, freePort, startDaemon, waitForHttp } from "../process";
import { ensureDebianPackage, userCache } from "../tools";

const S3_VERSION = "1.2.0";

/** What several zots share. */
export interface Services {
  redis: { url: string };
  s3: { bucket: string; region: string; regionEndpoint: string; secure: boolean; forcePathStyle: boolean };
  /** The S3 takes any keys, and zot's client goes nowhere without. */
  credentials: Record<string, string>;
  daemons: Daemon[];
}

/**
 * A redis and an S3 on loopback, both in memory alone.
 * @param directory for their logs
 * @throws when redis is missing and cannot be installed, or there is no Go
 */
export async function startServices(directory: string, log: (line: string) => void): Promise<Services> {
  mkdirSync(directory, { recursive: true });
  const redisServer = ensureDebianPackage("redis-server", "redis-server");
  const binaries = join(userCache(), `gofakes3-${S3_VERSION}`);
  await buildOnce(
    {
      what: `an S3 server (gofakes3 ${S3_VERSION})`,
      minutes: 1,
      module: join(__dirname, "s3"),
      packages: ["github.com/johannesboyne/gofakes3/cmd/gofakes3"],
      directory: binaries,
      otherwise: "Several registries share an S3 in the sandbox",
    },
    log,
  );
  const [redisPort, s3Port] = [await freePort(), await freePort()];
  const volatile = ["--save", "", "--appendonly", "no", "--dir", directory];
  const daemons = [
    startDaemon(
      "redis",
      [redisServer, "--bind", "127.0.0.1", "--port", String(redisPort), ...volatile],
      join(directory, "redis.log"),
    ),
    startDaemon(
      "s3",
      [join(binaries, "gofakes3"), "-host", `127.0.0.1:${s3Port}`, "-backend", "memory", "-initialbucket", "zot"],
      join(directory, "s3.log"),
    ),
  ];
  const regionEndpoint = `http://127.0.0.1:${s3Port}`;
  await waitForHttp(`${regionEndpoint}/zot`);
  return {
    redis: { url: `redis://127.0.0.1:${redisPort}` },
    s3: { bucket: "zot", region: "us-east-1", regionEndpoint, secure: false, forcePathStyle: true },
    credentials: { AWS_ACCESS_KEY_ID: "sandbox", AWS_SECRET_ACCESS_KEY: "sandbox" },
    daemons,
  };
}
