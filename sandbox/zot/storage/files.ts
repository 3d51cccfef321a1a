import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/** Replaces a file as a whole: whoever reads it sees the old content or the new one. */
export function writeWhole(path: string, content: string | Buffer, mode = 0o644): void {
  const scratch = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(scratch, content, { mode });
    renameSync(scratch, path);
  } catch (error) {
    rmSync(scratch, { force: true });
    throw error;
  }
}

/** Undefined if there is no such file. */
export function readIfThere(path: string): Buffer | undefined {
  return ifThere(() => readFileSync(path));
}

/** Bytes; undefined if there is no such file. */
export function sizeIfThere(path: string): number | undefined {
  return ifThere(() => statSync(path).size);
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
