/** The registry cannot start for a reason its operator can mend; `message` says which, without a stack. */
export class StartFailure extends Error {}

const REASONS: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "cannot assign requested address",
  EISDIR: "is a directory",
};

/** A system call's failure in Go's words: `open /nowhere: no such file or directory`. Other errors pass through. */
export function startFailure(error: unknown, subject?: string): unknown {
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new StartFailure(`${subject ?? `${syscall} ${path}`}: ${REASONS[code] ?? code}`);
}
