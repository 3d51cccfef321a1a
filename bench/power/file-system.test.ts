import { describe, expect, it } from "vitest";
import { DATA_FATES, type DataFate, type Fate, FileSystem } from "./file-system";
import type { SystemCall } from "./system-call";

const text = (content: string) => Buffer.from(content);
const open = (path: string, truncate = true): SystemCall => ({
  kind: "open",
  path,
  mode: 0o600,
  truncate,
  append: false,
});
const write = (path: string, content: string): SystemCall => ({ kind: "write", path, data: text(content) });

/** A directory with one file, `old`, that is on disk. */
function lying(...calls: SystemCall[]): FileSystem {
  const fileSystem = new FileSystem(new Map([["old", { mode: 0o600, content: text("before") }]]));
  for (const call of calls) fileSystem.apply(call);
  return fileSystem;
}

function found(fileSystem: FileSystem, keepsName: Fate["keepsName"], data: DataFate = "whole"): Record<string, string> {
  const tree = fileSystem.afterCut({ keepsName, data: () => data, portion: () => 0.5 });
  return Object.fromEntries([...tree].map(([path, { content }]) => [path, content?.toString() ?? "/"]));
}

const all = () => true;
const none = () => false;

describe("names", () => {
  it("are there once their directory was synced, and not by their file", () => {
    const written = [open("new"), write("new", "text"), { kind: "sync", path: "new" } as const];
    expect(found(lying(...written), none)).toEqual({ old: "before" });
    expect(found(lying(...written, { kind: "sync", path: "" }), none)).toEqual({ old: "before", new: "text" });
  });

  it("may be there in any order", () => {
    const fileSystem = lying(open("a"), { kind: "rename", from: "old", to: "b" });
    expect(fileSystem.unsynced).toBe(2);
    expect(found(fileSystem, all)).toEqual({ a: "", b: "before" });
    expect(found(fileSystem, (index) => index === 0)).toEqual({ a: "", old: "before" });
    expect(found(fileSystem, (index) => index === 1)).toEqual({ b: "before" });
  });

  it("that a later change on disk has overtaken do not come back", () => {
    const fileSystem = lying(
      { kind: "mkdir", path: "d", mode: 0o700 },
      { kind: "sync", path: "" },
      open("d/new"),
      write("d/new", "text"),
      { kind: "sync", path: "d/new" },
      { kind: "rename", from: "d/new", to: "old" },
      { kind: "sync", path: "" },
    );
    expect(found(fileSystem, all)).toEqual({ d: "/", old: "text" });
  });

  it("below a directory that is gone are gone with it", () => {
    const fileSystem = lying({ kind: "mkdir", path: "d", mode: 0o700 }, open("d/x"), { kind: "sync" });
    fileSystem.apply({ kind: "remove", path: "d/x" });
    fileSystem.apply({ kind: "remove", path: "d" });
    expect(found(fileSystem, none)).toEqual({ d: "/", "d/x": "", old: "before" });
    expect(found(fileSystem, (index) => index === 1)).toEqual({ old: "before" });
  });
});

describe("content", () => {
  it.each<[DataFate, string, string]>([
    ["whole", "afterwards", "afterwards"],
    ["synced", "before", "before"],
    ["empty", "", "before"],
    ["zeros", "\0".repeat(10), "before\0\0\0\0"],
    ["cut short", "after", "aftere"],
    ["torn", "after\0\0\0\0\0", "aftere\0\0\0\0"],
  ])("%s: of a file that was cut to nothing, and of one written in place", (fate, replaced, inPlace) => {
    const written = write("old", "afterwards");
    expect(found(lying(open("old"), written), all, fate)).toEqual({ old: replaced });
    expect(found(lying(open("old", false), written), all, fate)).toEqual({ old: inPlace });
  });

  it("that was synced is whole whatever happens", () => {
    const fileSystem = lying(open("old"), write("old", "x"), { kind: "sync", path: "old" });
    for (const fate of DATA_FATES) expect(found(fileSystem, none, fate)).toEqual({ old: "x" });
  });
});
