import { afterAll, beforeAll, expect, test } from "vitest";
import { type Authentik, startAuthentik } from "./authentik/server";
import { ask, settleAdmin, unsettleAdmin } from "./people";

let authentik: Authentik;
beforeAll(async () => {
  authentik = await startAuthentik({ token: "people" });
});
afterAll(() => authentik?.stop());

test("a sandbox never settles on what another left, and takes away what is its own", async () => {
  const groups = async () => (await ask<{ results: { name: string }[] }>(authentik, "GET", "core/groups/")).results;
  const before = await groups();
  const { settled } = await settleAdmin(authentik, "zot-sandbox-admins");
  await expect(settleAdmin(authentik, "zot-sandbox-admins")).rejects.toThrow(/zot-sandbox-admins already.*Delete/);
  await unsettleAdmin(authentik, settled);
  expect(await groups()).toEqual(before);
});
