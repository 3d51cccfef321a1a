import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { parseSettings, type RawSettings, type Settings } from "../src/settings/settings";

export const CLUSTER = { members: ["10.0.0.1:5050", "10.0.0.2:5050"], hashKey: "0123456789abcdef" };
export const S3 = { bucket: "zot-images", region: "eu-central-1" };
export const REDIS = { url: "redis://redis.internal:6379" };

const { config: PROD } = parse(readFileSync(resolve(__dirname, "../Pulumi.prod.yaml"), "utf8"));

/** The production stack on two hosts, scaled out. */
export function twoHosts(scaleOut: unknown, registry: object = {}): Settings {
  const [host] = PROD["harden-zot:hosts"];
  return parseSettings({
    ...PROD,
    "harden-zot:registry": { ...PROD["harden-zot:registry"], search: {}, scaleOut, ...registry },
    "harden-zot:hosts": [host, { ...host, name: "indri-2", address: "indri-2" }],
  } as RawSettings);
}
