import { OperatorError } from "../operator/error";
import type { HostSettings } from "../settings/hosts";
import { type AgentReport, agentCommand } from "./agent";
import { type Answering, observe, readAnswer } from "./observe";
import { execute, nameOf } from "./ssh";

/** How one host came out of a rollback. */
export type RollbackOutcome = { host: string } & (
  | { done: true; before: string | null; now: AgentReport }
  | { done: false; touched: boolean; why: string }
);

/** How hosts are reached: over SSH, but for tests. */
export interface Reach {
  observe: (host: HostSettings) => Promise<Answering>;
  execute: (host: HostSettings, command: string) => ReturnType<typeof execute>;
}

/**
 * Puts back the hardened configuration before the current one, on one host after the other. Every host is asked first
 * whether it can be reached, so that none is left behind for that; after one that fails, the rest is not touched.
 * @throws OperatorError before anything is touched
 */
export async function rollBack(hosts: readonly HostSettings[], reach: Reach = { observe, execute }) {
  const observed = await Promise.all(hosts.map(reach.observe));
  const unhardened = hosts.filter((_, index) => !observed[index]?.status.applied).map(({ name }) => name);
  if (unhardened.length > 0) {
    throw new OperatorError(
      `${unhardened.join(", ")}: this program has applied no configuration there, so there is none to go back to; name another host with HOST=. Nothing was changed.`,
    );
  }
  const outcomes: RollbackOutcome[] = [];
  for (const [index, host] of hosts.entries()) {
    const failed = outcomes.find(({ done }) => !done);
    outcomes.push(
      failed
        ? { host: host.name, done: false, touched: false, why: `not touched, because ${failed.host} failed` }
        : await rollBackOne(host, observed[index]?.status.config ?? null, reach),
    );
  }
  return outcomes;
}

async function rollBackOne(host: HostSettings, before: string | null, reach: Reach): Promise<RollbackOutcome> {
  try {
    const { code, stdout, stderr } = await reach.execute(host, agentCommand(host, "rollback"));
    if (code === 0) return { host: host.name, done: true, before, now: readAnswer<AgentReport>(host, stdout) };
    const why = stderr.trim().replaceAll("harden-zot: ", "") || silence(host, code);
    return { host: host.name, done: false, touched: true, why };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    return { host: host.name, done: false, touched: true, why: error.message };
  }
}

const silence = (host: HostSettings, code: number) =>
  code === 255
    ? `${nameOf(host)}: the connection was lost before the agent said how it ended. It ends without us, one way or the other: \`pulumi preview\` says which.`
    : `${nameOf(host)}: exit code ${code}`;

/** One line a host, as the operator reads it. */
export function describeRollback(outcome: RollbackOutcome): string {
  if (!outcome.done) return `${outcome.host}: ${outcome.touched ? `failed: ${outcome.why}` : outcome.why}`;
  const { host, before, now } = outcome;
  const short = (sha256: string | null) => sha256?.slice(0, 12) ?? "nothing";
  return `${host}: rolled back; zot ${now.zot} serves config.json ${short(now.sha256)} (before: ${short(before)})`;
}
