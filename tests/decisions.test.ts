import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { difference, readRecording, replay } from "./recorded-decisions";

const folder = join(__dirname, "vectors", "zot-decisions");

describe.each(readdirSync(folder).sort())("zot 2.1.20 decided (%s)", (file) => {
  const recording = readRecording(join(folder, file));
  const answer = replay(recording);
  it.each(
    recording.decisions.map((decision, line) => {
      const { identity, action, method, path, ua = "" } = decision;
      return [`${line + 2}: ${identity} ${action} ${method} ${path} ${ua}`, decision] as const;
    }),
  )("%s", (_, decision) => {
    expect(difference(decision, answer(decision))).toBe("");
  });
});
