import * as pulumi from "@pulumi/pulumi";
import { deliver, observeHosts } from "./src/host/deliver";
import { CiAccount } from "./src/identity/ci-account";
import { lookUpExisting } from "./src/identity/lookups";
import { issuerUrl, RelyingParty, redirectUri } from "./src/identity/relying-party";
import { forOperators } from "./src/program";
import { authentikToken, loadSettings } from "./src/settings/load";
import { accessSummary } from "./src/zot/access/table";
import { review } from "./src/zot/review";

export = forOperators(async () => {
  const settings = loadSettings();
  const { table, warnings } = review(settings);
  for (const warning of warnings) pulumi.log.warn(warning);
  const [existing, observed] = await Promise.all([lookUpExisting(settings, authentikToken()), observeHosts(settings)]);

  const relyingParty = new RelyingParty("registry", settings, existing);
  const accounts = settings.ci.map(
    ({ name, group }) => new CiAccount(name, { username: name, group: relyingParty.group(group) }),
  );
  const hosts = deliver(settings, observed, relyingParty);

  return {
    registryUrl: settings.registry.externalUrl,
    oidcIssuer: issuerUrl(settings),
    redirectUri: redirectUri(settings),
    ci: Object.fromEntries(accounts.map(({ name, username }) => [name, { username }])),
    access: accessSummary(table),
    configSha256: Object.fromEntries(hosts.map(({ name, configSha256 }) => [name, configSha256])),
  };
});
