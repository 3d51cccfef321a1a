import { z } from "zod";
import { groupName, listOf, safeUrl, section } from "./vocabulary";

const slug = z
  .string({ error: "must be a slug" })
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be a slug: lower-case letters, digits and dashes");
/** OAuth 2 (RFC 6749, appendix A.1), of the characters that need no quoting; Authentik makes up letters and digits. */
const clientId = z
  .string({ error: "must be a client id" })
  .regex(/^[A-Za-z0-9._~-]{1,255}$/, "must be a client id: letters, digits and . _ ~ - only");

const text = z.string({ error: "must be text" }).min(1, "must not be empty");

/** `harden-zot:identity`: how the registry appears in Authentik. Every default is what the blumeops blueprint sets. */
export const identitySettings = section({
  name: text.default("Zot Registry"),
  slug: slug.default("zot"),
  clientId: clientId.default("zot"),
  authorizationFlow: slug.default("default-provider-authorization-implicit-consent"),
  invalidationFlow: slug.default("default-provider-invalidation-flow"),
  signingKey: text.default("authentik Self-signed Certificate"),
  /** Groups that exist already and are looked up; every other group named by a rule is created by the stack. */
  existingGroups: listOf(groupName).default([]),
}).prefault({});

/** `authentik:url`: the server both Pulumi and the registry talk to. */
export const authentikUrl = safeUrl;

export type IdentitySettings = z.output<typeof identitySettings>;
