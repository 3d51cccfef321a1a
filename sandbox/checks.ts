import type { Fetch } from "../src/http/http";
import type { Check } from "../src/verify/check";
import { failed, ok } from "../src/verify/finding";
import { tinyImage } from "../src/verify/image";
import { pushImage } from "./distribution";

/** The state every hardening starts from: anyone on the network may push. */
export const OPEN_CHECKS: readonly Check[] = [
  {
    id: "open-ready",
    title: "the registry is ready",
    expected: "200",
    observe: async ({ registry }) => expected(200, (await registry.ask("GET", "/readyz")).status),
  },
  {
    id: "open-push",
    title: "push without credentials works (that is the problem)",
    expected: "201",
    observe: async ({ target }) =>
      expected(201, (await pushImage(target.registry, "anyone/was-here", "v1", tinyImage("anonymous"))).status),
  },
];

/** What takes a person's password, which verification never has. @param session logs in over OIDC as an admin */
export function adminChecks(session: () => Promise<{ fetch: Fetch }>): Check[] {
  return [
    {
      id: "admin-login",
      title: "OIDC login of an admin ends in a session that may push",
      expected: "own API keys 200, upload 202",
      observe: async ({ target }) => {
        const { fetch: asAdmin } = await session();
        const headers = { "x-zot-api-client": "zot-ui" };
        const keys = await asAdmin(`${target.registry}/zot/auth/apikey`, { headers });
        const upload = await asAdmin(`${target.registry}/v2/team/app/blobs/uploads/`, { method: "POST", headers });
        const seen = `own API keys ${keys.status}, upload ${upload.status}`;
        return keys.status === 200 && upload.status === 202 ? ok(seen) : failed(seen, "no session, or no rights", "");
      },
    },
  ];
}

const expected = (wanted: number, status: number) =>
  status === wanted ? ok(String(status)) : failed(String(status), `${wanted} was expected`, "");
