import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { commandLine } from "./command-line";

it("names the loader, a program of bin/ and its words", () => {
  expect(commandLine("key", "mint")).toBe("node --require ./loader.js bin/key.ts mint");
  expect(existsSync("bin/key.ts")).toBe(true);
});
