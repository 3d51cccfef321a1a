import * as pulumi from "@pulumi/pulumi";
import { planKeys } from "./src/credentials/held-keys";
import { issueKeys } from "./src/credentials/issue";
import { ciOutputs } from "./src/credentials/outputs";
import { deliver } from "./src/host/deliver";
import { planHosts } from "./src/host/plan";
import { lookUpExisting } from "./src/identity/lookups";
import { RelyingParty } from "./src/identity/relying-party";
import { issuerUrl, redirectUri } from "./src/identity/urls";
import { readLastState } from "./src/last-state";
import { forOperators } from "./src/operator/program";
import { review } from "./src/review/review";
import { authentikToken, loadSettings } from "./src/settings/load";
import { ownerIn } from "./src/tenure";
import { verifyRegistry } from "./src/verify/resource";

export = forOperators(async () => {
  const settings = loadSettings();
  const { access, warnings } = review(settings);
  for (const warning of warnings) pulumi.log.warn(warning);
  const last = await readLastState();
  const owner = ownerIn(last, pulumi.getStack());
  const [existing, hostPlans, keyPlans] = await Promise.all([
    lookUpExisting(settings, authentikToken()),
    planHosts(settings, last, owner),
    planKeys(settings, last, owner),
  ]);

  const relyingParty = new RelyingParty("registry", settings, existing);
  const hosts = deliver(settings, hostPlans, relyingParty);
  const keys = issueKeys(settings, relyingParty, keyPlans, hosts);

  const login = { oidcIssuer: issuerUrl(settings), redirectUri: redirectUri(settings) };
  verifyRegistry(settings, { ...login, hosts, keys });

  return {
    registryUrl: settings.registry.externalUrl,
    ...login,
    ...ciOutputs(keys),
    access,
    configSha256: Object.fromEntries(hosts.map(({ name, configSha256 }) => [name, configSha256])),
  };
});
