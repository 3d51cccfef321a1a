import { invalid } from "../http";

/**
 * What a serializer field accepts: returns the value to keep, or throws a sentence.
 * The sentences are Django REST framework's, as recorded from Authentik 2026.2.2.
 */
export type Accept = (value: unknown) => unknown;

export interface Field {
  accept: Accept;
  required?: boolean;
  /** Used on create when the field is not given; an update leaves what it does not name. */
  initial?: () => unknown;
}

export type Fields = Record<string, Field>;

export class FieldError extends Error {
  constructor(readonly detail: unknown) {
    super("field");
  }
}

const fail = (sentence: string): never => {
  throw new FieldError([sentence]);
};

export const text: Accept = (value) => {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  return value === null ? fail("This field may not be null.") : fail("Not a valid string.");
};

export const filledText: Accept = (value) => (value === "" ? fail("This field may not be blank.") : text(value));

export const slug: Accept = (value) =>
  /^[-\w]+$/.test(filledText(value) as string)
    ? value
    : fail('Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.');

export const bool: Accept = (value) => (typeof value === "boolean" ? value : fail("Must be a valid boolean."));

export const integer: Accept = (value) =>
  Number.isInteger(Number(value)) && value !== null && value !== ""
    ? Number(value)
    : fail("A valid integer is required.");

export const object: Accept = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? value
    : fail(`Value must be a dictionary, not ${Array.isArray(value) ? "list" : typeof value}.`);

export const choice =
  (...choices: string[]): Accept =>
  (value) =>
    choices.includes(String(value)) ? value : fail(`"${value}" is not a valid choice.`);

export const list =
  (accept: Accept): Accept =>
  (value) => {
    if (Array.isArray(value)) return value.map(accept);
    throw new FieldError({ non_field_errors: [`Expected a list of items but got type "${pythonType(value)}".`] });
  };

/** A list that may be left out, and not be given empty. */
export const filledList =
  (accept: Accept): Accept =>
  (value) => {
    const items = list(accept)(value) as unknown[];
    return items.length > 0 ? items : fail("This list may not be empty.");
  };

export const nullable =
  (accept: Accept): Accept =>
  (value) =>
    value === null ? null : accept(value);

/** A primary key that must exist. */
export const reference =
  (exists: (pk: never) => unknown): Accept =>
  (value) =>
    exists(value as never) ? value : fail(`Invalid pk "${value}" - object does not exist.`);

/** Nothing else may have this value. @param taken whether another object has it already */
export const unique =
  (accept: Accept, taken: (value: string) => boolean, sentence: string): Accept =>
  (value) => {
    const accepted = accept(value);
    return accepted !== null && taken(accepted as string) ? fail(sentence) : accepted;
  };

const pythonType = (value: unknown) =>
  ({ string: "str", number: "int", boolean: "bool", object: value === null ? "NoneType" : "dict" })[
    typeof value as "string"
  ] ?? "str";

/**
 * Validates a body. On an update, required fields are asked for by PUT and not by PATCH, and what the body does not
 * name stays as it is: whole-object replacement is what the client makes of it by naming everything.
 * @throws Refusal 400 with every field's error
 */
export function readFields(fields: Fields, body: unknown, mode: "create" | "put" | "patch"): Record<string, unknown> {
  const given = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const errors: Record<string, unknown> = {};
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (given[name] === undefined) {
      if (field.required && mode !== "patch") errors[name] = ["This field is required."];
      else if (mode === "create" && field.initial) values[name] = field.initial();
      continue;
    }
    try {
      values[name] = field.accept(given[name]);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      errors[name] = error.detail;
    }
  }
  if (Object.keys(errors).length > 0) throw invalid(errors);
  return values;
}
