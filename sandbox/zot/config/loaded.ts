import type * as z from "zod";
import type { RawConfig, sessionKeysSchema } from "../../../src/zot/file/schema";

type Auth = NonNullable<NonNullable<RawConfig["http"]>["auth"]>;

/** A configuration the loader accepted, its defaults filled in. Durations are milliseconds. */
export interface LoadedConfig extends RawConfig {
  storage: NonNullable<RawConfig["storage"]> & { rootDirectory: string; dedupe: boolean };
  http: NonNullable<RawConfig["http"]> & { address: string; port: string; auth: Auth };
  log: NonNullable<RawConfig["log"]> & { level: string };
  /** From http.auth.sessionKeysFile. */
  sessionKeys?: z.infer<typeof sessionKeysSchema>;
}
