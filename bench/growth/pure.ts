import { renderAccess, serializeConfig } from "../../src/config/render";
import { requireSound } from "../../src/review/lints/lints";
import { accessSummary, accessTable, renderTable } from "../../src/review/table";
import { parseSettings, type Settings } from "../../src/settings/settings";
import { questions } from "../../src/verify/checks/access-table";
import { targetOf } from "../../src/verify/target";
import { rawSettings, settingsOf } from "./input";
import type { Point } from "./series";

const target = (settings: Settings) =>
  targetOf(settings, {
    oidcIssuer: "http://127.0.0.1:1/",
    redirectUri: "",
    ciSecrets: Object.fromEntries(settings.ci.map(({ name }) => [name, { apiKey: "key" }])),
  });

/** What is done once everything is prepared, by name: of each, only the function that is returned is measured. */
const STEPS: Record<string, (axis: "identities" | "patterns", n: number) => () => unknown> = {
  "settings checked": (axis, n) => {
    const raw = rawSettings(axis, n);
    return () => parseSettings(raw);
  },
  "config.json rendered": (axis, n) => {
    const settings = settingsOf(axis, n);
    return () => serializeConfig(renderAccess(settings));
  },
  "rules linted": (axis, n) => {
    const settings = settingsOf(axis, n);
    const config = renderAccess(settings);
    return () => requireSound(config, settings);
  },
  "access summed up": (axis, n) => {
    const settings = settingsOf(axis, n);
    const config = renderAccess(settings);
    return () => accessSummary(config, settings);
  },
  "access table": (axis, n) => {
    const settings = settingsOf(axis, n);
    const config = renderAccess(settings);
    return () => renderTable(accessTable(config, settings), "text");
  },
  "verification planned": (axis, n) => {
    const planned = target(settingsOf(axis, n));
    return () => questions(planned);
  },
};

export const PURE_STEPS = Object.keys(STEPS);

/** A process of its own for each point, for its peak of memory: `pure.ts STEP AXIS N` prints the point as JSON. */
async function main([step = "", axis, n]: string[]): Promise<void> {
  const prepare = STEPS[step];
  if (!prepare || (axis !== "identities" && axis !== "patterns")) throw new Error(`no such step: ${step} ${axis}`);
  const run = prepare(axis, Number(n));
  const [cpuBefore, wallBefore] = [process.cpuUsage(), performance.now()];
  await run();
  const [{ user, system }, wall] = [process.cpuUsage(cpuBefore), performance.now() - wallBefore];
  const memory = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ n: Number(n), cpu: (user + system) / 1e6, wall: wall / 1e3, memory } satisfies Point));
}

if (require.main === module) void main(process.argv.slice(2));
