import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildOnce, cachedFor } from "../../sandbox/go-build";
import { PROJECT } from "./policy";

interface Finding {
  RuleID: string;
  File: string;
  StartLine: number;
  Commit: string;
}

/** @returns path of gitleaks, built from its Go module */
async function ensureGitleaks(): Promise<string> {
  const module = join(__dirname, "gitleaks");
  const directory = cachedFor("gitleaks", module);
  const packages = ["github.com/zricethezav/gitleaks/v8"];
  const otherwise = "gitleaks is missing: there is no Go";
  await buildOnce({ what: "gitleaks", minutes: 1, module, packages, directory, otherwise }, console.error);
  return join(directory, "gitleaks");
}

/**
 * What gitleaks finds in every commit of every branch, a line each; test data is let through by .gitleaks.toml of this project.
 * @throws where there is no history to look at
 */
export async function secrets(repository: string): Promise<string[]> {
  const gitleaks = await ensureGitleaks();
  const directory = mkdtempSync(join(tmpdir(), "supply-chain-"));
  try {
    const report = join(directory, "report.json");
    // No secret is written anywhere, no comment in a file lets one through, and the report says whether there are any.
    const options = [
      "--log-opts=--all",
      `--config=${join(PROJECT, ".gitleaks.toml")}`,
      "--redact",
      "--ignore-gitleaks-allow",
      "--exit-code=0",
    ];
    const words = ["git", ...options, "--no-banner", "--no-color", `--report-path=${report}`, repository];
    const { stderr: said } = await promisify(execFile)(gitleaks, words);
    const commits = Number(/(\d+) commits scanned/.exec(said)?.[1] ?? 0);
    if (commits === 0) throw new Error(`gitleaks scanned no commit of ${repository}: ${said.trim()}`);
    return (JSON.parse(readFileSync(report, "utf8")) as Finding[]).map(fault);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const fault = ({ RuleID, File, StartLine, Commit }: Finding) =>
  `${File}:${StartLine} in commit ${Commit.slice(0, 12)}: ${RuleID}; revoke it, or, if it is test data, say so in .gitleaks.toml`;
