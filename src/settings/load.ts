import * as pulumi from "@pulumi/pulumi";
import { OperatorError } from "../operator/error";
import { secretSetting } from "./secret";
import { parseSettings, type RawSettings, SETTING_KEYS, type Settings } from "./settings";

/** Reads and checks the stack's configuration. @throws OperatorError */
export function loadSettings(): Settings {
  const raw = Object.fromEntries(SETTING_KEYS.map((key) => [key, readKey(key)]));
  return parseSettings(raw as RawSettings);
}

function readKey(key: string): unknown {
  const [namespace, name] = key.split(":") as [string, string];
  const text = new pulumi.Config(namespace).get(name);
  if (text === undefined) return undefined;
  // A single word is stored bare; lists and objects as JSON.
  return /^\s*[[{]/.test(text) ? parseJson(key, text) : text;
}

function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new OperatorError(`${key} is not valid JSON; set it in the stack file as YAML, see Pulumi.prod.yaml`);
  }
}

/**
 * The API token, from where the Authentik provider takes it too.
 * @throws OperatorError when there is none, or one in plain
 */
export function authentikToken(): string {
  const stored = secretSetting("authentik:token", "an API token of Authentik", "revoke it there, make another");
  const token = stored ?? process.env.AUTHENTIK_TOKEN;
  if (token) return token;
  throw new OperatorError(
    "no Authentik API token: set AUTHENTIK_TOKEN in the environment, or run `pulumi config set --secret authentik:token`",
  );
}
