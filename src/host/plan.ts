import * as pulumi from "@pulumi/pulumi";
import { type LastResource, printedBy } from "../last-state";
import { OperatorError } from "../operator/error";
import type { HostSettings } from "../settings/hosts";
import type { Settings } from "../settings/settings";
import { tenureResource } from "../tenure";
import { type Observation, observe } from "./observe";
import { replaced } from "./replaced";
import { nameOf } from "./ssh";
import type { HostTenure, TenureRequest } from "./tenure";

/** Type of the component that a host is. */
export const REGISTRY_HOST = "harden-zot:host:RegistryHost";

/** What is to become of one host. */
export interface HostPlan {
  host: HostSettings;
  owner: string;
  /** Another number than on record has the host do everything once more. */
  heal: number;
  /** Nothing of it was ever delivered, so all of the configuration can be shown. */
  first: boolean;
  /** What the host was called in the last run, if it was renamed since. */
  formerly: string | undefined;
}

/**
 * Asks every host what it holds, and says what drifted and who leaves; touches nothing. In a preview a host that does not
 * answer is a warning, so that the rest can still be looked at; an `up` stops before anything is touched.
 * @param all what the last run left in the state
 * @throws OperatorError
 */
export async function planHosts(settings: Settings, all: LastResource[], owner: string): Promise<HostPlan[]> {
  const { hosts } = settings;
  const last = all.filter(({ component }) => component === REGISTRY_HOST);
  const observations = await Promise.all(hosts.map(observeOne));
  const seen = hosts.map((host, index) => ({ host, observed: observations[index] as Observation }));
  refuseOnePlaceTwice(seen);
  const former = new Map(seen.map(({ host, observed }) => [host.name, formerName(host, observed, hosts, last)]));
  for (const { host, observed } of seen) announce(host, observed, owner, settings);
  for (const { host } of seen) announceLeftBehind(host, seen, tenureOf(host.name, last));
  for (const name of leaving(hosts, last))
    if (![...former.values()].includes(name) && !isServed(tenureOf(name, last), seen)) announceFarewell(name, last);
  return seen.map(({ host, observed }) => {
    const formerly = former.get(host.name);
    const held = tenureOf(formerly ?? host.name, last);
    return {
      host,
      owner,
      heal: healCount(observed, held, resource(`${formerly ?? host.name}-config`, last)),
      first: observed.kind === "bare" && held === undefined,
      formerly,
    };
  });
}

async function observeOne(host: HostSettings): Promise<Observation> {
  try {
    return await observe(host);
  } catch (error) {
    if (!pulumi.runtime.isDryRun() || !(error instanceof OperatorError)) throw error;
    return { kind: "unreachable", why: error.message };
  }
}

type Seen = { host: HostSettings; observed: Observation };

/** Two addresses may be one machine. */
function refuseOnePlaceTwice(seen: Seen[]): void {
  const names = new Map<string, string>();
  for (const { host, observed } of seen) {
    if (observed.kind === "unreachable") continue;
    const other = names.get(observed.status.place);
    if (other !== undefined) {
      throw new OperatorError(
        `harden-zot:hosts names one machine twice: ${other} and ${host.name} are the same directory ${host.configDirectory} of the same machine, and would undo each other's work; keep one of them. Nothing was changed.`,
      );
    }
    names.set(observed.status.place, host.name);
  }
}

/** The host is on record for a life that the last run knew under a name which the settings do not have any more. */
function formerName(
  { name }: HostSettings,
  observed: Observation,
  hosts: HostSettings[],
  last: LastResource[],
): string | undefined {
  if (observed.kind === "unreachable" || tenureOf(name, last)) return undefined;
  return leaving(hosts, last).find((other) => {
    const held = tenureOf(other, last);
    return held && held.owner === observed.status.owner && held.life === observed.status.life;
  });
}

/** Names of hosts that the last run delivered to and the settings do not have. */
function leaving(hosts: HostSettings[], last: LastResource[]): string[] {
  const names = new Set(hosts.map(({ name }) => name));
  return last
    .filter(({ name }) => name.endsWith("-config"))
    .map(({ name }) => name.replace(/-config$/, ""))
    .filter((name) => !names.has(name));
}

function announce(host: HostSettings, observed: Observation, owner: string, settings: Settings): void {
  if (observed.kind === "unreachable") {
    pulumi.log.warn(`${observed.why} What it holds is not known, so what is shown for it may be wrong.`);
    return;
  }
  const { drift, original, owner: holder, ...status } = observed.status;
  // A first run that was cut off noted down an owner that no state knows.
  const delivered = status.applied !== null || original !== null;
  if (delivered && holder !== null && holder !== owner && holder !== host.takeOver) {
    throw new OperatorError(
      `${host.name}: its registry is delivered by ${holder}, and this stack is ${owner}: deliver to it from there, or take it over with harden-zot:hosts, takeOver: ${JSON.stringify(holder)}. Nothing was changed.`,
    );
  }
  if (holder === null && status.applied !== null)
    pulumi.log.info(`${host.name}: it was hardened before there were owners; up takes it over for ${owner}`);
  if (holder !== null && holder !== owner) {
    pulumi.log.warn(
      `${host.name}: up takes it over from ${holder}${delivered ? "" : ", which claimed it and delivered nothing"}`,
    );
  }
  // Found before anything is made for it anywhere.
  if (status.applied === null && status.trouble.length > 0)
    throw new OperatorError(`${host.name}: ${status.trouble.join("; ")}. Nothing was changed.`);
  if (status.applied === null && status.found !== null) announceReplaced(status.found, host, settings);
  for (const what of drift) pulumi.log.warn(`${host.name}: ${what}; up will heal it`);
  if (original === "lost") {
    pulumi.log.warn(
      `${host.name}: the configuration from before the first hardening is lost, so that a destroy cannot put it back: lay the one that zot shall go back to at ${host.configDirectory}/harden-zot/original.json, or set farewell: read-only`,
    );
  }
}

/** What the first hardening does to the configuration that is there. */
function announceReplaced(found: string, host: HostSettings, settings: Settings): void {
  const { stops, told } = replaced(found, host, settings);
  if (stops.length > 0) {
    throw new OperatorError(
      `${host.name}: the configuration that is served and the settings differ where it moves or hides images or cuts clients off:\n${stops.map((line) => `  - ${line}`).join("\n")}\nNothing was changed.`,
    );
  }
  if (told.length === 0) return;
  pulumi.log.warn(
    `${host.name}: the first up replaces the config.json that is served. What goes or changes:\n${told.map((line) => `  - ${line}`).join("\n")}`,
  );
}

/** Whether a life goes on on one of the hosts. */
function isServed(held: HostTenure | undefined, seen: Seen[]): boolean {
  return seen.some(({ observed }) => held && observed.kind !== "unreachable" && observed.status.life === held.life);
}

/** A name that was given to another machine: nobody says farewell to the one it was. */
function announceLeftBehind(host: HostSettings, seen: Seen[], held: HostTenure | undefined): void {
  if (held === undefined || held.host === nameOf(host) || isServed(held, seen)) return;
  if (seen.some(({ host: one, observed }) => one === host && observed.kind === "unreachable")) return;
  pulumi.log.warn(
    `${host.name}: it was ${held.host} until now. If that is another machine, it stays hardened, and nobody says farewell to it: a destroy leaves it with an issuer that is gone. To have it given back first, name both machines as hosts, this one under another name, and run up; then take ${host.name} out and run up again`,
  );
}

function announceFarewell(name: string, last: LastResource[]): void {
  const stdin = resource(tenureResource(name), last)?.outputs.stdin;
  const farewell = typeof stdin === "string" ? (JSON.parse(stdin) as TenureRequest).farewell : "restore";
  pulumi.log.warn(
    farewell === "restore"
      ? `${name} leaves the settings: up gives it its configuration from before the first hardening back, an open one as a rule, and then anyone who reaches it may push there again. To leave it closed, first set its farewell: read-only and run up (docs/rollback.md)`
      : `${name} leaves the settings: up leaves it read-only, for whoever could read it without logging in; nobody can push there any more`,
  );
}

/**
 * A host without an agent, or that serves nothing of what the state says it was brought (it was restored by hand, or put back),
 * starts from a count that no run before can have had.
 * @param config what last brought it a configuration
 */
function healCount(observed: Observation, held: HostTenure | undefined, config: LastResource | undefined): number {
  if (observed.kind === "unreachable") return lastHeal(config);
  if (observed.kind === "bare") return now();
  const { applied, drift, heal, life } = observed.status;
  if (applied === null && config) return now();
  const strange = held !== undefined && life !== null && life !== held.life;
  return heal + (drift.length > 0 || strange ? 1 : 0);
}

/** As the last activation was told. */
function lastHeal(config: LastResource | undefined): number {
  return Number(/ heal=(\d+)/.exec(String(config?.outputs.create))?.[1] ?? now());
}

const now = () => Math.floor(Date.now() / 1000);

function tenureOf(name: string, last: LastResource[]): HostTenure | undefined {
  return printedBy<HostTenure>(last, tenureResource(name));
}

const resource = (name: string, last: LastResource[]) => last.find((one) => one.name === name);
