import fc from "fast-check";
import {
  LAYER,
  LOOSE_BLOB,
  MANIFEST_A,
  MANIFEST_B,
  NEW_BLOB,
  REPOSITORIES,
  TAGS,
  USERS,
} from "../../sandbox/bare-registry";
import type { HttpRequest } from "../../src/zot/request";

/** Configurations and requests as an operator or an attacker might write them, oddities included. */

const PATTERNS = [
  ..."** * */** apps/** apps/* apps/web apps/{web,db} apps/team/** {apps,infra}/** infra/[st]ool infra/too? infra/**".split(
    " ",
  ),
  ..."docker.io/** docker.io/*/* q/a?c q/[a-c]bc top t* **/web **/tool/** apps/**/web Apps/** nowhere/** ap** *pp*/**".split(
    " ",
  ),
];

const GROUPS = ["admins", "Writers", "readers", "writers"];

const CONDITIONS = [
  'req.tag in ["main", "latest"]',
  'req.referenceType != "tag" || req.tag.matches(r"^v\\d+\\.\\d+\\.\\d+-[0-9a-f]{7}$")',
  'req.referenceType == "digest" || req.tag in ["main"]',
  'req.repository.startsWith("apps/")',
  "req.auth.admin",
  "!req.auth.anonymous",
  '"writers" in req.user.groups',
  'req.user.groups.exists(g, g == "readers")',
  "size(req.user.groups) > 0",
  'req.method == "PUT"',
  "req.nope == 1",
  'req.nope == "x" || true',
  "req.tag",
  "has(req.claims.sub)",
  "has(req.claims) && req.claims != null",
  'req.claims.sub == "x"',
  'req.repository.split("/")[0] == "apps"',
  'req.repository.split("/")[1] == "web"',
  'req.client.ip == "127.0.0.1" && !req.tls.enabled',
  'req.time > timestamp("2020-01-01T00:00:00Z")',
  "req.time.getFullYear() < 2000",
  'req.tag.matches("^(?i)MAIN$")',
  'req.tag.matches("[[:digit:]]")',
  "req.tag.matches(req.repository)",
  'req.userAgent.contains("curl")',
  'req.action == "update"',
  'sets.intersects(req.user.groups, ["admins", "readers"])',
  'req.reference.size() == 0 || req.digest.startsWith("sha256:")',
  "req.?claims.?sub.orValue('none') == 'none'",
  'req.tag.lowerAscii().replace("v", "x").indexOf("x") == 0',
  "int(req.tag) == 1",
  'req.user.username == "ci" ? req.tag == "main" : false',
];

const some = <T>(values: readonly T[], max = 3) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: max });
const sometimes = <T>(value: fc.Arbitrary<T>, outOf = 2) => fc.option(value, { freq: outOf - 1, nil: undefined });

const action = fc.constantFrom(
  ..."read create update delete read create detectManifestCollision Read push *".split(" "),
);
const actions = fc.oneof(
  { weight: 6, arbitrary: fc.uniqueArray(action, { minLength: 1, maxLength: 4 }) },
  { weight: 1, arbitrary: action },
);

const condition = fc.record({
  expression: fc.constantFrom(...CONDITIONS),
  message: fc.constantFrom("", "not here", "use another tag"),
});

const policy = fc.record(
  {
    users: some([...USERS, ""], 2),
    groups: some(GROUPS, 2),
    actions,
    conditions: fc.array(condition, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["actions"] },
);

const repository = fc.record(
  {
    policies: fc.array(policy, { maxLength: 3 }),
    defaultPolicy: actions,
    anonymousPolicy: fc.oneof(fc.constant(["read"]), actions),
  },
  { requiredKeys: [] },
);

/** Of keys that differ in case alone, which zot all lower-cases, it keeps any one. */
const distinct = <T>(dictionary: fc.Arbitrary<Record<string, T>>) =>
  dictionary.filter((object) => {
    const keys = Object.keys(object).map((key) => key.toLowerCase());
    return new Set(keys).size === keys.length;
  });

const accessControl = fc.record(
  {
    repositories: distinct(fc.dictionary(fc.constantFrom(...PATTERNS), repository, { maxKeys: 6 })),
    adminPolicy: policy,
    groups: distinct(
      fc.dictionary(fc.constantFrom(...GROUPS, "Readers"), fc.record({ users: some(USERS) }), { maxKeys: 3 }),
    ),
    metrics: fc.record({ users: some([...USERS, ""]), anonymousPolicy: fc.constant(["read"]) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["repositories"] },
);

export const setup = fc.record({
  accessControl: sometimes(accessControl, 25),
  authentication: fc.constantFrom("htpasswd", "htpasswd", "htpasswd", "htpasswd and apikey", "none"),
  realm: sometimes(fc.constant("zot lab")),
  dedupe: fc.boolean(),
  extensions: fc.constantFrom(
    {},
    { search: { enable: true } },
    { metrics: {} },
    { ui: {}, search: {}, metrics: { enable: true } },
  ),
});

const names = fc.constantFrom(...REPOSITORIES, ...REPOSITORIES, "apps/new", "docker.io/new");
const tag = fc.constantFrom(...TAGS, "v1.2.4-0123abc", "dev");
const digest = fc.constantFrom(MANIFEST_A.digest, MANIFEST_B.digest);
const blob = fc.constantFrom(LAYER.digest, LOOSE_BLOB.digest, NEW_BLOB.digest);
const ask = (methods: string[], path: fc.Arbitrary<string>, weight: number) => ({
  weight,
  arbitrary: fc.record({ method: fc.constantFrom(...methods), path }),
});
const under = (name: fc.Arbitrary<string>, ...rest: fc.Arbitrary<string>[]) =>
  fc.tuple(name, ...rest).map(([repository, ...tail]) => `/v2/${repository}${tail.join("")}`);
const text = (value: string) => fc.constant(value);
const tagQuery = fc
  .array(tag, { minLength: 1, maxLength: 3 })
  .map((tags) => `?${tags.map((t) => `tag=${t}`).join("&")}`);

const FIXED = [
  ..."/v2/ /v2 /v2/_catalog /v2/_oci/ext/discover /v2/_zot/ext/mgmt /v2/_zot/ext/mgmt?x=1 /metrics /livez /readyz".split(
    " ",
  ),
  ..."/zot/auth/apikey /v2//apps/web/tags/list /v2/apps/../top/tags/list /v2/Apps/web/tags/list /v2/nothing / /login".split(
    " ",
  ),
];

export const request: fc.Arbitrary<HttpRequest> = fc
  .record({
    exchange: fc.oneof(
      ask(["GET", "GET", "HEAD", "POST", "OPTIONS"], fc.constantFrom(...FIXED), 3),
      ask(["GET"], text("/v2/"), 1),
      ask(["GET"], text("/v2/_catalog"), 1),
      ask(["GET", "DELETE", "HEAD"], under(names, text("/tags/list")), 1),
      ask(["GET", "HEAD", "PUT", "PUT", "DELETE"], under(names, text("/manifests/"), tag), 6),
      ask(["GET", "HEAD", "PUT", "DELETE"], under(names, text("/manifests/"), digest), 2),
      ask(["PUT"], under(names, text("/manifests/"), digest, tagQuery), 3),
      ask(["PUT"], under(names, text("/manifests/"), tag, tagQuery), 1),
      ask(["GET", "HEAD", "DELETE"], under(names, text("/blobs/"), blob), 3),
      ask(["POST"], under(names, text("/blobs/uploads/")), 2),
      ask(["POST"], under(names, text("/blobs/uploads/?mount="), blob), 2),
      ask(["POST"], under(names, text(`/blobs/uploads/?digest=${NEW_BLOB.digest}`)), 1),
      ask(
        ["GET", "PATCH", "PUT", "DELETE"],
        under(names, text("/blobs/uploads/00000000-0000-4000-8000-000000000000")),
        1,
      ),
      ask(["GET"], under(names, text("/referrers/"), digest), 1),
    ),
    userAgent: fc.constantFrom("curl/8.5.0", "docker/27.3.1 go/go1.22", "skopeo/1.9.3"),
  })
  .map(({ exchange, userAgent }) => ({ ...exchange, userAgent }));

export const who = fc.constantFrom("anonymous", "wrong-credentials", ...USERS);
