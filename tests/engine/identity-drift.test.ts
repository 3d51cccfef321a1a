import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../sandbox/people";
import { NAME, type Sandbox, startSandbox } from "../../sandbox/sandbox";

interface Found<Item> {
  results: Item[];
}
interface Provider {
  pk: number;
  redirect_uris: { url: string }[];
}
interface Group {
  pk: string;
  name: string;
}
interface Binding {
  pk: string;
  group: string | null;
}
interface User {
  groups: string[];
}

const PUBLISHERS = `${NAME}-publishers`;

/** What is changed by hand in Authentik is not looked for on every preview: `pulumi refresh` does that, and up mends it. */
describe("drift of Authentik", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox(() => {});
    const { code, output } = await sandbox.stack.up();
    expect(code, output).toBe(0);
  });
  afterAll(() => sandbox?.stop());

  const api = <Answer>(method: string, path: string, body?: object) =>
    ask<Answer>(sandbox.authentik, method, path, body);
  const one = async <Item>(path: string) => (await api<Found<Item>>("GET", path)).results[0] as Item;
  const provider = () => one<Provider>(`providers/oauth2/?client_id=${NAME}`);
  const group = () => one<Group>(`core/groups/?name=${PUBLISHERS}`);
  const bindings = async () => {
    const { pk } = await api<{ pk: string }>("GET", `core/applications/${NAME}/`);
    return (await api<Found<Binding>>("GET", `policies/bindings/?target=${pk}`)).results;
  };
  const admitted = async (name: string) => {
    const { pk } = await one<Group>(`core/groups/?name=${name}`);
    return (await bindings()).some((binding) => binding.group === pk);
  };

  /** refresh sees it, preview shows it, up mends it, and then there is nothing left to do. */
  async function mended(shown: RegExp): Promise<void> {
    const refresh = await sandbox.stack.refresh();
    expect(refresh.code, refresh.output).toBe(0);
    const preview = await sandbox.stack.preview();
    expect(preview.code, preview.output).toBe(0);
    expect(preview.output).toMatch(shown);
    const up = await sandbox.stack.up();
    expect(up.code, up.output).toBe(0);
    const again = await sandbox.stack.refresh();
    expect(again.code, again.output).toBe(0);
    const after = await sandbox.stack.preview("--expect-no-changes");
    expect(after.code, after.output).toBe(0);
  }

  it("a redirect URI changed by hand", async () => {
    const { pk, redirect_uris: before } = await provider();
    const stolen = [{ matching_mode: "strict", url: "https://elsewhere.example.test/callback" }];
    await api("PATCH", `providers/oauth2/${pk}/`, { redirect_uris: stolen });
    await mended(/~ .*ProviderOauth2 client update \[diff: ~allowedRedirectUris\]/);
    expect((await provider()).redirect_uris).toEqual(before);
  });

  it("every redirect URI removed by hand", async () => {
    const { pk, redirect_uris: before } = await provider();
    await api("PATCH", `providers/oauth2/${pk}/`, { redirect_uris: [] });
    await mended(/~ .*ProviderOauth2 client update \[diff: ~allowedRedirectUris\]/);
    expect((await provider()).redirect_uris).toEqual(before);
  });

  it("a policy binding removed: with none left everybody could log in", async () => {
    const { pk } = await group();
    const binding = (await bindings()).find((found) => found.group === pk) as Binding;
    await api("DELETE", `policies/bindings/${binding.pk}/`);
    expect(await admitted(PUBLISHERS)).toBe(false);
    await mended(new RegExp(`\\+ .*admit-${PUBLISHERS}[\\s\\S]*\\+ 1 to create`));
    expect(await admitted(PUBLISHERS)).toBe(true);
  });

  it("a group removed: it comes back with its binding and its CI account in it", async () => {
    const before = await group();
    await api("DELETE", `core/groups/${before.pk}/`);
    await mended(new RegExp(`\\+ .*Group.*${PUBLISHERS}`, "i"));
    const now = await group();
    expect(now.pk).not.toBe(before.pk);
    expect(await admitted(PUBLISHERS)).toBe(true);
    expect((await one<User>(`core/users/?username=${NAME}-ci`)).groups).toEqual([now.pk]);
  });
});
