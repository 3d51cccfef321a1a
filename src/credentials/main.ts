import { runVerb } from "../operator/verbs";
import { isDestroy } from "../tenure";
import { mint, revoke } from "./key-program";
import type { RevokeRequest } from "./key-requests";

/**
 * What the `-key` resources of states from before 27 November 2026 run (d64bc02), whose texts stay as they are: changed, they
 * would have every key made again. May go once no `pulumi stack export` names this file any more.
 */
runVerb({
  mint,
  revoke: async (request: RevokeRequest) => {
    if (isDestroy()) await revoke(request);
    else console.error(`${request.username}: its API keys are left alone; the tenure of the identity ends them`);
    return undefined;
  },
});
