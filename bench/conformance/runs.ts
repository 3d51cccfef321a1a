import type { Explanation } from "./outcomes";

/** Whom the suite is run as; each has repositories of its own on the hardened registry. */
export const IDENTITIES = {
  /** Break-glass. */
  admin: "conformance/admin",
  /** May push new tags, and move those that the suite pushes twice. */
  maintainer: "conformance/maintainer",
  /** May push new tags. */
  publisher: "conformance/publisher",
  /** May push new tags of the form that the production stack prescribes. */
  ci: "team/conformance",
  /** Is let loose on what the maintainer pushed. */
  anonymous: "conformance/maintainer",
} as const;

export type IdentityName = keyof typeof IDENTITIES;

/** Tags that the suite pushes more than once, each time for another image. */
export const REUSED_TAGS = ["image", "index", "tagged-artifact"];

/** What the suite is told: to try everything, that nothing can be deleted, or to read what is there. */
export type Mode = "everything" | "no deletes" | "read only";

export interface OpenRun {
  mode: Mode;
  /** Of what does not pass. */
  explanations: Explanation[];
}

export interface HardenedRun {
  identity: IdentityName;
  mode: Mode;
  /** Of what is not as on the open registry in the same mode. */
  explanations: Explanation[];
}

const NOT_IN_SPEC: Explanation = {
  tests: /\/post cancel\/blob-post-cancel$/,
  here: "Disabled",
  because: "cancelling an upload is not in distribution-spec 1.1, and the suite leaves it out",
};

export const OPEN_RUNS: readonly OpenRun[] = [
  {
    mode: "everything",
    explanations: [
      NOT_IN_SPEC,
      {
        tests: /^sha(256|512) blobs\/mount( anonymous)?\/blob-delete$/,
        here: "FAIL",
        error: /^blob head failed: .*expected one of \[404\], received 200$/,
        because: "zot, with storage.dedupe: a HEAD brings a deleted blob back while another repository has it",
      },
    ],
  },
  {
    mode: "no deletes",
    explanations: [
      NOT_IN_SPEC,
      { tests: /\/(blob|manifest|tag)-delete$/, here: "Disabled", because: "the suite is told not to delete" },
    ],
  },
  {
    mode: "read only",
    explanations: [
      {
        tests: /\/delete\/|\/push\/|^sha(256|512) blobs$|\/manifest-put$/,
        here: "Disabled",
        because: "the suite is told neither to push nor to delete",
      },
    ],
  },
];

/** Data whose tag had been pushed before, with other data. */
const REUSED = "(empty-index|artifacts-with-subject|index-with-subject|missing-subject)";

/** In this order: what the maintainer pushed is what anonymous is let loose on. */
export const HARDENED_RUNS: readonly HardenedRun[] = [
  { identity: "admin", mode: "everything", explanations: [] },
  { identity: "maintainer", mode: "no deletes", explanations: [] },
  { identity: "anonymous", mode: "read only", explanations: [] },
  {
    identity: "maintainer",
    mode: "everything",
    explanations: [
      {
        tests: /\/(blob|manifest|tag)-delete$/,
        here: "FAIL",
        error: /^(blob|manifest) delete failed: .*, received 403$/,
        because: "no CI account may delete: 403",
      },
    ],
  },
  {
    identity: "publisher",
    mode: "no deletes",
    explanations: [
      {
        tests: new RegExp(`^${REUSED}/push/manifest-by-tag$`),
        here: "FAIL",
        error: /^manifest put failed: .*expected one of \[201\], received 403/,
        because: "a publisher may not push a tag again: 403",
      },
      {
        tests: new RegExp(`^${REUSED}/(head/manifest-head|pull/manifest)-by-tag$`),
        here: "FAIL",
        error: /mismatch|expected "DIGEST", received "DIGEST"/,
        because: "so the tag still names what was pushed first",
      },
      {
        tests: new RegExp(`^${REUSED}/delete/tag-delete$`),
        here: "absent",
        because: "and the suite does not come to what it would do with the tag later",
      },
    ],
  },
  {
    identity: "ci",
    mode: "no deletes",
    explanations: [
      {
        tests: /\/push\/manifest-by-tag$/,
        here: "FAIL",
        error: /^manifest put failed: .*expected one of \[201\], received 403/,
        because: "none of the suite's tags has the form of the tag rule: 403",
      },
      {
        tests: /\/(head\/manifest-head|pull\/manifest)-by-tag$/,
        here: "FAIL",
        error: /^manifest (head|get) failed: .*expected one of \[200\], received 404/,
        because: "so there is no such tag: 404",
      },
      {
        tests: /\/tag-list$/,
        here: "FAIL",
        error: /^(missing tag "[^"]+" from listing ?)+$/,
        because: "nor is it listed",
      },
      {
        tests: /\/delete\/tag-delete$/,
        here: "absent",
        because: "and the suite does not come to what it would do with the tag later",
      },
    ],
  },
  {
    identity: "anonymous",
    mode: "everything",
    explanations: [
      {
        tests:
          /\/(blob-(post-put|post-only|patch-chunked|patch-stream|mount|mount-anonymous)|manifest-(by-digest|by-tag|put))$/,
        here: "FAIL",
        error: /^(blob post|manifest put) failed: .*, received 401/,
        because: "nobody pushes without a login: 401",
      },
      {
        tests: /\/(blob|manifest)-delete$/,
        here: "FAIL",
        error: /^(blob|manifest) delete failed: .*, received 401$/,
        because: "nobody deletes without a login: 401",
      },
      {
        tests: /\/(head\/(blob-head|manifest-head-by-digest)|pull\/(blob-get|manifest-by-digest))$/,
        here: "FAIL",
        error: /^(blob|manifest) (head|get) failed: .*expected one of \[200\], received 404/,
        because: "so what was not pushed is not there: 404",
      },
      {
        tests: /\/referrers$/,
        here: "FAIL",
        error: /^entry missing from referrers list/,
        because: "nor does anything refer to it",
      },
      {
        tests: /\/(head\/manifest-head|pull\/manifest)-by-tag$/,
        here: "FAIL",
        error: /mismatch|expected "DIGEST", received "DIGEST"/,
        because: "and the tags still name what the maintainer pushed",
      },
      {
        tests: /\/(blob-(head|get|delete)|tag-delete|range [\d-]+)$/,
        here: "absent",
        because: "and the suite does not come to what it would do with them later",
      },
    ],
  },
];
