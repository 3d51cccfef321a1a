/** The release whose behaviour is stood in for, in the members of `zot --version`. */
export const VERSION = {
  tag: "v2.1.20",
  commit: "v2.1.20-0-g0000000",
  binaryType: "-metrics-mgmt-search-sync-ui",
  goVersion: `none: a stand-in on node ${process.version}`,
} as const;

/** The OCI distribution spec that it serves. */
export const DISTRIBUTION_SPEC = "1.1.1";
