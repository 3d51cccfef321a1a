import type { Settings } from "../settings/settings";
import { describeFinding, requireSound } from "./access/lints";
import { type AccessTable, accessTable } from "./access/table";
import { renderConfig } from "./config";

export interface Review {
  /** Who may do what where. */
  table: AccessTable;
  /** What is not as it should be, and no reason to stop. */
  warnings: string[];
}

/**
 * What can be known of the configuration before any secret exists, and before anything is touched.
 * @throws OperatorError when zot cannot do what the settings ask, or the access rules are not safe to apply
 */
export function review(settings: Settings): Review {
  // Neither the issuer nor the files it refers to decide about access.
  const config = renderConfig(settings, { issuer: settings.authentikUrl, credentialsFile: "", sessionKeysFile: "" });
  const warnings = requireSound(config, settings).map(describeFinding);
  return { table: accessTable(config, settings), warnings };
}
