import type { Log } from "../log";

/** What a finished command left. */
export interface Output {
  stdout: string;
  stderr: string;
}

/** `stdout`, `stderr`, `stdoutAndStderr` (the default) or `none`. */
export type Logging = string | undefined;

/** Gathers a command's output, shows it line by line as it comes, and words its failure as the provider does. */
export class OutputCollector {
  private readonly all: Buffer[] = [];
  private readonly streams = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  private readonly unfinished = { stdout: "", stderr: "" };
  private shown: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly log: Log,
    private readonly logging: Logging,
  ) {}

  take(stream: keyof Output, chunk: Buffer): void {
    this.all.push(chunk);
    this.streams[stream].push(chunk);
    if (!["stdoutAndStderr", stream].includes(this.logging ?? "stdoutAndStderr")) return;
    const lines = (this.unfinished[stream] + chunk).split("\n");
    this.unfinished[stream] = lines.pop() ?? "";
    for (const line of lines) this.show(line);
  }

  private show(line: string): void {
    this.shown = this.shown.then(() => this.log.status(line));
  }

  /** @param failure how the command ended, when not well */
  async finish(command: string, failure?: string): Promise<Output> {
    for (const line of Object.values(this.unfinished)) if (line) this.show(line);
    await this.shown;
    if (failure) throw new Error(`${failure}: running ${goQuote(command)}:\n${Buffer.concat(this.all)}`);
    const text = (stream: keyof Output) => String(Buffer.concat(this.streams[stream])).replace(/\n$/, "");
    return { stdout: text("stdout"), stderr: text("stderr") };
  }
}

/** As Go's %q. */
function goQuote(text: string): string {
  return JSON.stringify(text).replace(/\\u00([0-9a-f]{2})/g, "\\x$1");
}
