import { OperatorError } from "../operator/error";
import { requestTimeout } from "../settings/vocabulary";
import { isObject } from "../zot/file/decode";
import { parseDuration } from "../zot/file/duration";
import type { ZotConfig } from "../zot/types";

const KEYS = ["readTimeout", "writeTimeout"] as const;

/**
 * What stands in extraConfig instead of in harden-zot:registry.timeouts.
 * @throws OperatorError for a value that zot takes for another, and for a key that it would find twice
 */
export function requireTimeouts(extraConfig: Record<string, unknown>): void {
  const mistakes = given(extraConfig).flatMap(({ place, key, value }) => {
    // zot's loader lower-cases all keys, and ours is there already.
    if (!place.endsWith(`.http.${key}`))
      return [`${place} is http.${key} to zot, which then keeps any one of two: write it http.${key}`];
    const { error } = requestTimeout.safeParse(value);
    return error ? [`${place} = ${JSON.stringify(value)}: ${error.issues[0]?.message}`] : [];
  });
  if (mistakes.length > 0) throw new OperatorError(mistakes.join("\n"));
}

/** A warning where extraConfig has one of the two alone. */
export function lintTimeouts(extraConfig: Record<string, unknown>): string[] {
  const [only, other] = given(extraConfig);
  if (only === undefined || other !== undefined) return [];
  const missing = KEYS.find((key) => key !== only.key);
  return [
    `one-timeout: ${only.place} stands without ${missing}; an upload takes both: past writeTimeout it is stored and its client told nothing, past readTimeout it is gone. Set harden-zot:registry.timeouts: { read, write } instead.`,
  ];
}

/** Milliseconds that a layer may take. An upload needs both: its answer must go out before the write timeout. */
export function longestTransfers({ http }: ZotConfig): { upload: number; download: number } {
  const [read, write] = KEYS.map((key) => milliseconds(http[key] ?? "60s")) as [number, number];
  return { upload: Math.min(read, write), download: write };
}

function milliseconds(duration: string): number {
  const parsed = parseDuration(duration);
  return "milliseconds" in parsed ? parsed.milliseconds : 0;
}

interface Given {
  /** As it is spelled there. */
  place: string;
  key: (typeof KEYS)[number];
  value: unknown;
}

function given(extraConfig: Record<string, unknown>): Given[] {
  return Object.entries(extraConfig)
    .filter(([section]) => section.toLowerCase() === "http")
    .flatMap(([section, http]) => (isObject(http) ? Object.entries(http) : []).map((entry) => ({ section, entry })))
    .flatMap(({ section, entry: [name, value] }) => {
      const key = KEYS.find((key) => key.toLowerCase() === name.toLowerCase());
      return key ? [{ place: `harden-zot:registry.extraConfig.${section}.${name}`, key, value }] : [];
    });
}
