import { isValidPattern } from "../../zot/doublestar";
import { error, type Fault, type Lint, type Linted, ruleOf } from "./finding";

export const droppedRule: Lint = {
  why: "zot's loader drops empty objects, and of keys that differ in case alone it keeps any one",
  fix: 'close a pattern with {"policies": []}, and name every key once',
  find: dropped,
};

/** All that can be said where the loader leaves no accessControl. */
export const NO_RULES: Fault = error(
  "accessControl",
  "there is none, so that everyone with credentials may do everything",
);

function dropped({ config, accessControl }: Linted): Fault[] {
  const patterns = Object.keys(config.http.accessControl?.repositories ?? {});
  const groups = Object.keys(config.http.accessControl?.groups ?? {});
  return [
    ...patterns
      .filter((pattern) => !accessControl.repositories.has(pattern.toLowerCase()))
      .map((pattern) => error(ruleOf(pattern), "is empty and is dropped, so that a wider pattern applies")),
    ...[...patterns, ...groups]
      .filter((key, index, keys) => keys.some((other, at) => at < index && other.toLowerCase() === key.toLowerCase()))
      .map((key) => error(JSON.stringify(key), "is named twice, in different case")),
    ...patterns
      .filter((pattern) => !isValidPattern(pattern))
      .map((pattern) => error(ruleOf(pattern), "is not a valid pattern and matches nothing")),
  ];
}
