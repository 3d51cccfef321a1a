const MILLISECONDS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };

/** Go's time.ParseDuration; the errors are the loader's, which leaves the value out. */
export function parseDuration(text: string): { milliseconds: number } | { error: string } {
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return { milliseconds: 0 };
  let total = 0;
  let rest = unsigned;
  do {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return { error: "time: invalid duration" };
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return { error: "time: missing unit in duration" };
    const factor = MILLISECONDS[unit];
    if (factor === undefined) return { error: "time: unknown unit" };
    total += Number(number) * factor;
    rest = rest.slice(unit.length);
  } while (rest !== "");
  return { milliseconds: text.startsWith("-") ? -total : total };
}
