import { afterAll, beforeAll, expect, it } from "vitest";
import { type Authentik, startAuthentik } from "../../sandbox/authentik/server";
import { ask, requireNothingLeft, settleAdmin, unsettleAdmin } from "../../sandbox/people";

let authentik: Authentik;
beforeAll(async () => {
  authentik = await startAuthentik({ token: "people-test-token" });
});
afterAll(() => authentik?.stop());

it("names what of a sandbox is still in Authentik, and nothing of another", async () => {
  const { settled } = await settleAdmin(authentik, "zot-sandbox-a1-admins");
  await settleAdmin(authentik, "zot-sandbox-b2-admins");
  const flow = { title: "t", designation: "authentication" };
  await ask(authentik, "POST", "flows/instances/", { ...flow, name: "zot-sandbox-a1-login", slug: "zot-sandbox-a1" });
  const left = (names: string) => `left behind in Authentik at ${authentik.url}, to be deleted there by hand: ${names}`;
  await expect(requireNothingLeft(authentik, "zot-sandbox-a1")).rejects.toThrow(
    left(
      "core/groups/ zot-sandbox-a1-admins, core/users/ zot-sandbox-a1-admins-ada, flows/instances/ zot-sandbox-a1-login",
    ),
  );
  await unsettleAdmin(authentik, settled);
  await expect(requireNothingLeft(authentik, "zot-sandbox-a1")).rejects.toThrow(
    left("flows/instances/ zot-sandbox-a1-login"),
  );
  await ask(authentik, "DELETE", "flows/instances/zot-sandbox-a1/");
  await requireNothingLeft(authentik, "zot-sandbox-a1");
});
