import { isDeepStrictEqual } from "node:util";
import { isObject } from "../zot/file/decode";
import { pathOf } from "./read";

export interface Difference {
  /** `http.accessControl.repositories["**"]` */
  path: string;
  before: unknown;
  after: unknown;
}

/** Where two values differ, key by key; lists differ as a whole. @param path where they stand */
export function leaves(before: unknown, after: unknown, path: string[]): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ path: pathOf(path), before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    leaves(before[key], after[key], [...path, key]),
  );
}
