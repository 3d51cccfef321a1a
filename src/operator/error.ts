import type { z } from "zod";
import { printable } from "./foreign";

/** A mistake of the operator, worded for the operator: shown without a stack trace. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";

  constructor(message: string) {
    super(printable(message));
  }
}

type Path = readonly PropertyKey[];

/**
 * One line an issue: `harden-zot:registry.listen.port = 70000: must be a port, 1 to 65535`.
 * @param root the configuration key the value was read from
 */
export function describeIssues(root: string, input: unknown, error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => describeIssue(root, input, issue));
}

function describeIssue(root: string, input: unknown, issue: z.core.$ZodIssue): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${keyName(root, [...issue.path, key])} is not a setting; ${issue.message}`);
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) return describeUnion(root, input, issue);
  const value = valueAt(input, issue.path);
  if (value === undefined) return [`${keyName(root, issue.path)} is missing; it ${issue.message}`];
  return [`${keyName(root, issue.path)} = ${shown(value)}: ${issue.message}`];
}

/** A value as it may be seen by anybody: without the user and password of a URL. */
function shown(value: unknown): string {
  return JSON.stringify(value).replace(/(:\/\/)[^/"]*@/g, "$1***@");
}

/** The branch that got furthest into the value is the one that was meant. */
function describeUnion(root: string, input: unknown, issue: z.core.$ZodIssueInvalidUnion): string[] {
  const value = valueAt(input, issue.path);
  const meant =
    typeof value === "object"
      ? issue.errors.find((branch) =>
          branch.some((inner) => inner.code !== "invalid_value" && inner.code !== "invalid_type"),
        )
      : undefined;
  if (!meant) return [`${keyName(root, issue.path)} = ${shown(value)}: ${issue.message}`];
  return meant.flatMap((inner) => describeIssue(root, input, { ...inner, path: [...issue.path, ...inner.path] }));
}

function keyName(root: string, path: Path): string {
  return path.reduce<string>(
    (name, part) => (typeof part === "number" ? `${name}[${part}]` : `${name}.${String(part)}`),
    root,
  );
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], input);
}
