/** Property values as the engine sends them: JSON, in which a secret and an unknown have a form of their own. */
export type Value = null | boolean | number | string | Value[] | Properties;
export type Properties = { [key: string]: Value };

/** What stands for a value that only an update will tell (sdk/go/common/resource/plugin, UnknownStringValue). */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The key and value that mark an object as a wrapped secret (sdk/go/common/resource, SigKey and SecretSig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export function secret(value: Value): Properties {
  return { [SIGNATURE]: SECRET, value };
}

function isSecret(value: Value): value is { value: Value } & Properties {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Changes a value inside the secret wrapping it may have. */
export function within(value: Value, change: (inner: Value) => Value): Value {
  return isSecret(value) ? secret(within(value.value, change)) : change(value);
}

/** The value without its secret wrappings, however deep. */
export function reveal(value: Value): Value {
  if (isSecret(value)) return reveal(value.value);
  if (Array.isArray(value)) return value.map(reveal);
  return isObject(value) ? revealAll(value) : value;
}

export function revealAll(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, reveal(value)]));
}

export function equal(a: Value, b: Value): boolean {
  return canonical(reveal(a)) === canonical(reveal(b));
}

function canonical(value: Value): string {
  return JSON.stringify(value, (_, inner: Value) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
