import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildOnce, cachedFor } from "../../sandbox/go-build";
import { type Outcome, outcome, PROJECT } from "./policy";

interface Finding {
  RuleID: string;
  File: string;
  StartLine: number;
  Commit: string;
}

/** @returns path of gitleaks, built from its Go module */
async function ensureGitleaks(log: (line: string) => void): Promise<string> {
  const module = join(__dirname, "gitleaks");
  const directory = cachedFor("gitleaks", module);
  const packages = ["github.com/zricethezav/gitleaks/v8"];
  const otherwise = "gitleaks is missing: there is no Go";
  await buildOnce({ what: "gitleaks", minutes: 1, module, packages, directory, otherwise }, log);
  return join(directory, "gitleaks");
}

/** gitleaks over every commit of every branch; test data is let through by .gitleaks.toml of this project. */
export async function secrets(repository: string, log: (line: string) => void): Promise<Outcome> {
  const gitleaks = await ensureGitleaks(log);
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
    const said = await run(gitleaks, [
      "git",
      ...options,
      "--no-banner",
      "--no-color",
      `--report-path=${report}`,
      repository,
    ]);
    const commits = Number(/(\d+) commits scanned/.exec(said)?.[1] ?? 0);
    if (commits === 0) throw new Error(`gitleaks scanned no commit of ${repository}: ${said.trim()}`);
    const findings = JSON.parse(readFileSync(report, "utf8")) as Finding[];
    return outcome(findings.map(fault), `${commits} commits, no secret in them`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const fault = ({ RuleID, File, StartLine, Commit }: Finding) =>
  `${File}:${StartLine} in commit ${Commit.slice(0, 12)}: ${RuleID}; revoke it, or, if it is test data, say so in .gitleaks.toml`;

function run(command: string, args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  return new Promise((settle, fail) => {
    child.once("error", fail);
    child.once("close", (code) =>
      code === 0 ? settle(said) : fail(new Error(`gitleaks ended with ${code}: ${said.trim()}`)),
    );
  });
}
