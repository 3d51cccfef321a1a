import { expect, it } from "vitest";
import { readTrace } from "./system-call";

const hex = (text: string) => [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
const quoted = (text: string) => `"${hex(text)}"`;
const at = `AT_FDCWD<${hex("/")}>`;

it("reads what changed below a directory, in the order in which the calls ended", () => {
  const trace = [
    `11  openat(${at}, ${quoted("/d/a")}, O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3<${hex("/d/a")}>`,
    `11  write(1<${hex("/d/a")}>, ${quoted("/d/x")}, 4 <unfinished ...>`,
    `12  chdir(${quoted("/d")}) = 0`,
    `12  mkdir(${quoted("sub")}, 0777) = 0`,
    `12  mkdir(${quoted("sub")}, 0777) = -1 EEXIST (File exists)`,
    `11  <... write resumed>)               = 4`,
    `13  copy_file_range(3<${hex("/d/a")}>, NULL, 4<${hex("/d/b")}>, NULL, 999, 0) = 4`,
    `13  fchmod(4<${hex("/d/b")}>, 0100640) = 0`,
    `14  renameat2(${at}, ${quoted("/d/b")}, ${at}, ${quoted("/d/c")}, RENAME_NOREPLACE) = 0`,
    `14  unlinkat(5<${hex("/d/sub")}>, ${quoted("c")}, 0) = 0`,
    `15  fsync(3<${hex("/d")}>) = 0`,
    `15  fsync(3<${hex("/elsewhere")}>) = 0`,
    `15  openat(${at}, ${quoted("/d/a")}, O_RDONLY|O_NONBLOCK) = 3<${hex("/d/a")}>`,
    `15  write(1<${hex("/elsewhere")}>, ${quoted("/d/x")}, 4) = 4`,
    "16  sync() = 0",
    "16  +++ exited with 0 +++",
  ].join("\n");
  expect(readTrace(trace, "/d")).toEqual([
    { kind: "open", path: "a", mode: 0o600, truncate: true, append: false },
    { kind: "mkdir", path: "sub", mode: 0o700 },
    { kind: "write", path: "a", data: Buffer.from("/d/x") },
    { kind: "copy", from: "a", path: "b", length: 4 },
    { kind: "chmod", path: "b", mode: 0o640 },
    { kind: "rename", from: "b", to: "c" },
    { kind: "remove", path: "sub/c" },
    { kind: "sync", path: "" },
    { kind: "sync" },
  ]);
});

it("stops at a change that it does not know", () => {
  expect(() => readTrace(`1  ftruncate(3<${hex("/d/a")}>, 0) = 0`, "/d")).toThrow(
    "ftruncate changed a: this call is not known here",
  );
});
