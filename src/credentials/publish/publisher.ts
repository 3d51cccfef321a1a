import type { SecretNames } from "../../settings/publish";
import { dockerConfigJson, type HandOver } from "../handover";

/** Brings a key to where CI looks for it. */
export interface Publisher {
  /** Writes, over what was there before. @returns the names of what was written @throws OperatorError */
  publish(handover: HandOver): Promise<string[]>;
  /** Takes back what `publish` wrote; what is gone already is no failure. @returns the names @throws OperatorError */
  withdraw(handover: HandOver): Promise<string[]>;
}

/** The calls of a forge whose CI has named secrets. */
export interface SecretStore {
  put(name: string, value: string): Promise<unknown>;
  remove(name: string): Promise<unknown>;
}

/** One secret after the other, in the order of the settings. */
export function secretsPublisher(names: SecretNames, store: SecretStore): Publisher {
  const parts = Object.entries(names) as [keyof SecretNames, string][];
  const all = parts.map(([, name]) => name);
  return {
    publish: async (handover) => {
      const values = { ...handover, dockerConfig: dockerConfigJson(handover) };
      for (const [part, name] of parts) await store.put(name, values[part]);
      return all;
    },
    withdraw: async () => {
      for (const name of all) await store.remove(name);
      return all;
    },
  };
}
