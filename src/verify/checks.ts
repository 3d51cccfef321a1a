import type { Check } from "./check";
import { ACCESS_TABLE } from "./checks/access-table";
import { ANONYMOUS_CHECKS } from "./checks/anonymous";
import { KEY_CHECKS } from "./checks/keys";
import { LOGIN_CHECKS } from "./checks/login";
import { SERVER_CHECKS } from "./checks/server";
import { TAG_CHECKS } from "./checks/tags";

/** Everything that is claimed of a hardened registry, tried on a running one (docs/verification.md). */
export const VERIFICATION: readonly Check[] = [
  ...ANONYMOUS_CHECKS,
  ...LOGIN_CHECKS,
  ...KEY_CHECKS,
  ...TAG_CHECKS,
  ...SERVER_CHECKS,
  ACCESS_TABLE,
];
