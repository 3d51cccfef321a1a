import { join } from "node:path";
import { atExit, killDaemon, stopDaemon } from "../../sandbox/process";
import { type Sandbox, startSandbox } from "../../sandbox/sandbox";
import { startOpenRegistry } from "../../sandbox/upstream";
import { ApiKeys } from "../../src/credentials/api-keys";
import type { RawSettings } from "../../src/settings/settings";
import { differences, type Explained, explain, type SuiteResult } from "./outcomes";
import { readOnlyData } from "./read-only-data";
import { HARDENED_RUNS, IDENTITIES, type IdentityName, type Mode, OPEN_RUNS, REUSED_TAGS } from "./runs";
import { ensureSuite, runSuite, type SuiteTarget } from "./suite";

/** One run of the suite, and what is different in it: from all passing, or from the open registry in the same mode. */
export interface ReportedRun extends Explained {
  /** "open" for the open registry. */
  as: IdentityName | "open";
  mode: Mode;
  result: SuiteResult;
}

type Login = { username: string; password: string };

/**
 * The OCI conformance suite against an open registry and, as each identity, against a hardened one of the same zot.
 * @param log told what is being done
 */
export async function runSideBySide(
  log: (line: string) => void,
): Promise<{ parts: Sandbox["parts"]; runs: ReportedRun[] }> {
  const suite = await ensureSuite(log);
  const sandbox = await startSandbox(log);
  try {
    const zot = sandbox.parts.find(({ name }) => name === "registry (zot)")?.where as string;
    const open = await startOpenRegistry(zot, join(sandbox.directory, "open"));
    const forget = atExit(() => killDaemon(open.daemon));
    try {
      log("hardening the sandbox registry");
      const logins = await harden(sandbox);
      return { parts: sandbox.parts, runs: await new SideBySide(suite, sandbox, open.url, logins, log).all() };
    } finally {
      forget();
      await stopDaemon(open.daemon);
    }
  } finally {
    await sandbox.stop();
  }
}

/** By the main job, with an identity for each kind of CI account. @returns how each identity logs in */
async function harden(sandbox: Sandbox): Promise<Partial<Record<IdentityName, Login>>> {
  const settings = sandbox.settings();
  const [{ name: ci }] = settings["harden-zot:ci"] as [{ name: string }];
  const account = (identity: IdentityName, role: string) => ({
    name: accountOf(identity),
    group: `${accountOf(identity)}-group`,
    repositories: [`${IDENTITIES[identity]}/**`],
    role,
  });
  sandbox.stack.configure({
    ...settings,
    "harden-zot:ci": [
      ...(settings["harden-zot:ci"] as object[]),
      account("maintainer", "maintainer"),
      account("publisher", "publisher"),
    ],
    "harden-zot:access": withSuiteTags(settings["harden-zot:access"] as { tags: object }),
  } as RawSettings);
  const { code, output } = await sandbox.stack.up();
  if (code !== 0) throw new Error(`pulumi up failed:\n${output}`);
  const { ciSecrets } = (await sandbox.stack.outputs("--show-secrets")) as {
    ciSecrets: Record<string, { apiKey: string }>;
  };
  const loginOf = (username: string) => ({ username, password: ciSecrets[username]?.apiKey as string });
  return {
    admin: await adminLogin(sandbox),
    maintainer: loginOf(accountOf("maintainer")),
    publisher: loginOf(accountOf("publisher")),
    ci: loginOf(ci),
  };
}

const accountOf = (identity: IdentityName) => `zot-conformance-${identity}`;

/** The suite's tags have none of the production stack's form. */
function withSuiteTags(access: { tags: object }): object {
  const overrides = [
    { repositories: [`${IDENTITIES.maintainer}/**`], mutable: REUSED_TAGS },
    { repositories: [`${IDENTITIES.publisher}/**`] },
  ];
  return { ...access, tags: { ...access.tags, overrides } };
}

/** An API key that the admin makes in a session, as in zot's UI. */
async function adminLogin(sandbox: Sandbox): Promise<Login> {
  const { fetch, username } = await sandbox.adminSession();
  const keys = new ApiKeys(sandbox.registryUrl, username, fetch);
  const { apiKey } = await keys.mint("conformance", new Date(Date.now() + 3_600_000));
  return { username, password: apiKey };
}

/** Other repositories for a run that deletes, as the others leave theirs full; what is read was left there. */
const namespaceOf = (namespace: string, mode: Mode) => `${namespace}/${mode === "everything" ? "everything" : "kept"}`;

class SideBySide {
  private readonly open = new Map<Mode, SuiteResult>();
  private runs = 0;

  constructor(
    private readonly suite: string,
    private readonly sandbox: Sandbox,
    private readonly openUrl: string,
    private readonly logins: Partial<Record<IdentityName, Login>>,
    private readonly log: (line: string) => void,
  ) {}

  async all(): Promise<ReportedRun[]> {
    const reported: ReportedRun[] = [];
    for (const { mode, explanations } of OPEN_RUNS) {
      const result = await this.run("open", mode, {
        registry: this.openUrl,
        namespace: namespaceOf("conformance", mode),
      });
      this.open.set(mode, result);
      reported.push({ as: "open", mode, result, ...explain(differences(result.tests), explanations) });
    }
    for (const { identity, mode, explanations } of HARDENED_RUNS) {
      const login = this.logins[identity];
      const target = {
        registry: this.sandbox.registryUrl,
        namespace: namespaceOf(IDENTITIES[identity], mode),
        ...(login ? { login } : {}),
      };
      const result = await this.run(identity, mode, target);
      const found = differences(result.tests, this.open.get(mode)?.tests);
      reported.push({ as: identity, mode, result, ...explain(found, explanations) });
    }
    return reported;
  }

  private async run(as: ReportedRun["as"], mode: Mode, target: SuiteTarget): Promise<SuiteResult> {
    this.log(`the OCI conformance suite as ${as}, ${mode}`);
    const directory = join(this.sandbox.directory, `conformance-${++this.runs}`);
    const readOnly = mode === "read only" ? { readOnly: await readOnlyData(target) } : {};
    return runSuite(this.suite, directory, target, { deletes: mode === "everything", ...readOnly });
  }
}
