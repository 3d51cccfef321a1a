import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stringify } from "yaml";
import { buildOnce, cachedFor } from "../../sandbox/go-build";
import { parseOutcomes, type SuiteResult } from "./outcomes";

/** What a registry without pushes is asked for, all of it in the first repository. */
export interface ReadOnlyData {
  tags: string[];
  /** Digests. */
  manifests: string[];
  blobs: string[];
  /** Digests of subjects. */
  referrers: string[];
}

/** What the suite is told to try. */
export interface SuiteSettings {
  /** Whether it tries to delete blobs, manifests and tags. */
  deletes: boolean;
  /** Given: nothing is pushed and these are read. */
  readOnly?: ReadOnlyData;
}

export interface SuiteTarget {
  /** URL, plain http. */
  registry: string;
  /** Under it the suite uses two repositories. */
  namespace: string;
  /** Left out: nobody is logged in. */
  login?: { username: string; password: string };
}

/** Version of the OCI distribution spec that is tested against. */
const SPEC = "1.1";

/** Version of its Go module. */
export function suiteVersion(): string {
  const pins = readFileSync(join(__dirname, "go.mod"), "utf8");
  return /distribution-spec\/conformance (v\S+)/.exec(pins)?.[1] ?? "unknown";
}

/** The conformance suite of the OCI distribution spec, built once from its Go module. @returns its path */
export async function ensureSuite(log: (line: string) => void): Promise<string> {
  const directory = cachedFor("oci-conformance", __dirname);
  const what = "the OCI conformance suite";
  const packages = ["github.com/opencontainers/distribution-spec/conformance"];
  const otherwise = `${what} is missing: there is no Go`;
  await buildOnce({ what, minutes: 1, module: __dirname, packages, directory, otherwise }, log);
  return join(directory, "conformance");
}

/**
 * One run of the suite. Its exit code says nothing: without pushes it panics once everything is said, and a configuration
 * that it cannot read ends with 0.
 * @param directory of this run alone; holds the password, so only its owner can read it
 * @throws when it did not come to an end, or what it printed does not add up
 */
export async function runSuite(
  suite: string,
  directory: string,
  target: SuiteTarget,
  settings: SuiteSettings,
): Promise<SuiteResult> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "oci-conformance.yaml");
  writeFileSync(file, stringify(configuration(directory, target, settings)), { mode: 0o600 });
  const env = { PATH: process.env.PATH, HOME: directory, OCI_CONFIGURATION: file };
  const child = spawn(suite, [], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
  const failed = new Promise<never>((_, fail) => child.once("error", fail));
  const [output, errors] = await Promise.race([Promise.all([text(child.stdout), text(child.stderr)]), failed]);
  return parseOutcomes(output, errors);
}

/** It takes 2.5 s. */
const TIMEOUT_MS = 120_000;

function configuration(directory: string, target: SuiteTarget, { deletes, readOnly }: SuiteSettings): object {
  const { namespace, login, registry } = target;
  return {
    version: SPEC,
    registry: new URL(registry).host,
    tls: "disabled",
    repo1: `${namespace}/one`,
    repo2: `${namespace}/two`,
    ...login,
    logging: "error",
    resultsDir: join(directory, "results"),
    apis: {
      push: readOnly === undefined,
      blobs: { delete: deletes },
      manifests: { delete: deletes },
      tags: { delete: deletes },
    },
    ...(readOnly ? { roData: readOnly } : {}),
  };
}
