import { z } from "zod";
import { OperatorError } from "../operator/error";
import { type AccessTable, conditionOf, WHATS, type What } from "../review/table";
import { Html } from "./html";

/** Whoever it is, wherever it is: `yes`, `no`, or `if` and a condition (CEL). */
export interface AccessEntry {
  where: string;
  who: string;
  may: Record<What, string>;
}

const OPEN = '<script type="application/json" id="harden-zot-report">';
const CLOSE = "</script>";

const state = z.object({
  stack: z.string(),
  registry: z.string(),
  /** RFC 3339. */
  takenAt: z.iso.datetime(),
  access: z.array(z.object({ where: z.string(), who: z.string(), may: z.record(z.enum(WHATS), z.string()) })),
  /** Outcome by id. */
  checks: z.record(z.string(), z.enum(["ok", "warning", "failed", "skipped"])),
});

/** What a report keeps of itself for the next one to compare with. */
export type State = z.output<typeof state>;

/** As a data block, which no browser runs. */
export function embedded(value: State): Html {
  return new Html(`${OPEN}${JSON.stringify(value).replaceAll("<", "\\u003c")}${CLOSE}`);
}

/**
 * @param file its name, for errors
 * @throws OperatorError when the text is no report of this program
 */
export function stateIn(text: string, file: string): State {
  const begin = text.indexOf(OPEN);
  const data = begin < 0 ? "" : text.slice(begin + OPEN.length, text.indexOf(CLOSE, begin));
  const parsed = state.safeParse(parseJson(data));
  if (parsed.success) return parsed.data;
  throw new OperatorError(`${file} is there, and is no report of this program: name another file with OUT=...`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function accessEntries({ rows }: AccessTable): AccessEntry[] {
  return rows.map(({ where, who, cells }) => {
    const shown = (what: What) => (cells[what].may === "if" ? conditionOf(cells[what]).trim() : cells[what].may);
    return {
      where,
      who: who.label,
      may: { pull: shown("pull"), push: shown("push"), overwrite: shown("overwrite"), delete: shown("delete") },
    };
  });
}
