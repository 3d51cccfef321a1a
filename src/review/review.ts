import { renderAccess } from "../config/render";
import { lintTimeouts } from "../config/timeouts";
import { registryOn, type Settings } from "../settings/settings";
import { describeFinding, requireSound } from "./lints/lints";
import { describeScaleOut, requireScaleOut } from "./scale-out-lints";
import { accessSummary } from "./table";

export interface Review {
  /** Who may do what where. */
  access: ReturnType<typeof accessSummary>;
  /** What is not as it should be, and no reason to stop. */
  warnings: string[];
}

/**
 * What can be known of the configuration before any secret exists, and before anything is touched.
 * @throws OperatorError when zot cannot do what the settings ask, the access rules are not safe to apply, or several hosts
 * would not be one registry
 */
export function review(settings: Settings): Review {
  const config = renderAccess(settings);
  const members = settings.hosts.map((host) => ({
    name: host.name,
    config: renderAccess({ ...settings, registry: registryOn(host, settings.registry) }),
  }));
  const warnings = [
    ...requireSound(config, settings).map(describeFinding),
    ...requireScaleOut(members).map(describeScaleOut),
    ...lintTimeouts(settings.registry.extraConfig),
  ];
  return { access: accessSummary(config, settings), warnings };
}
