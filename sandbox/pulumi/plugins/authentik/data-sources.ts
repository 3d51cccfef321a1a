import type { Properties, Value } from "../wire";
import { type Api, filter } from "./api";
import { GROUP_QUERY } from "./kinds";

type Lookup = (api: Api, args: Properties) => Promise<Properties>;

/** The provider's data sources; what it answers when nothing matches is worded as it does. */
export const LOOKUPS: Record<string, Lookup> = {
  getFlow: async (api, { slug, designation }) => {
    const flow = first(await api.list(`/flows/instances/${filter({ slug, designation })}`), "No matching flows found");
    return { id: flow.pk as Value, ...pick(flow, ["name", "title", "slug", "designation", "authentication"]) };
  },

  getGroup: async (api, args) => {
    const includeUsers = args.includeUsers ?? true;
    const query = `${GROUP_QUERY}&include_users=${includeUsers}`;
    if ((args.name === undefined) === (args.pk === undefined))
      throw new Error('Invalid combination of arguments: "name": only one of `name,pk` can be specified');
    const group = args.pk
      ? await api.get(`/core/groups/${args.pk}/?${query}`)
      : only(await api.list(`/core/groups/?${query}&${filter({ name: args.name }).slice(1)}`), "groups");
    return {
      id: group.pk as Value,
      includeUsers,
      ...pick(group, ["pk", "num_pk", "name", "is_superuser"]),
      ...{ users: group.users ?? [], parents: group.parents ?? [] },
      attributes: JSON.stringify(group.attributes),
      usersObjs: ((group.users_obj ?? []) as Properties[]).map((member) => ({
        ...pick(member, ["pk", "username", "name", "is_active", "email", "uid"]),
        lastLogin: member.last_login ?? "",
        attributes: JSON.stringify(member.attributes ?? {}),
      })),
    };
  },

  getUser: async (api, args) => {
    const user =
      args.pk !== undefined
        ? await api.get(`/core/users/${args.pk}/`)
        : only(await api.list(`/core/users/${filter({ username: args.username })}`), "users");
    return {
      id: String(user.pk),
      ...pick(user, ["pk", "username", "name", "type", "is_active", "is_superuser", "groups", "email", "avatar"]),
      ...pick(user, ["uid", "uuid", "path"]),
      ...{ lastLogin: user.last_login ?? "", dateJoined: user.date_joined ?? "" },
      attributes: JSON.stringify(user.attributes),
    };
  },

  getCertificateKeyPair: async (api, { name, fetchCertificate = true, fetchKey = true }) => {
    const list = await api.list(`/crypto/certificatekeypairs/${filter({ name })}`);
    const pair = first(list, "No matching groups found");
    const part = async (which: string) =>
      `${(await api.get(`/crypto/certificatekeypairs/${pair.pk}/${which}/`)).data}\n`;
    return {
      ...{ id: pair.pk as Value, name: pair.name as Value, fetchCertificate, fetchKey },
      ...{ expiry: goTime(pair.cert_expiry as string), subject: pair.cert_subject as Value },
      ...{ fingerprint1: pair.fingerprint_sha1 as Value, fingerprint256: pair.fingerprint_sha256 as Value },
      ...(fetchCertificate && { certificateData: await part("view_certificate") }),
      ...(fetchKey && { keyData: await part("view_private_key") }),
    };
  },

  getPropertyMappingProviderScope: async (api, args) => {
    const { managedLists, managed, name, scopeName } = args;
    const query = filter({ managed: managedLists ?? managed, name, scope_name: scopeName });
    const mappings = await api.list(`/propertymappings/provider/scope/${query}`);
    const mapping = first(mappings, "No matching mappings found");
    if (managedLists) return { ...args, id: "-1", ids: mappings.map(({ pk }) => pk as Value) };
    return { ...args, id: mapping.pk as Value, ...pick(mapping, ["name", "expression", "scope_name", "description"]) };
  },

  getProviderOauth2Config: async (api, args) => {
    const id =
      args.providerId ??
      first(await api.list(`/providers/oauth2/${filter({ name: args.name })}`), "no matching providers found").pk;
    const urls = await api.get(`/providers/oauth2/${id}/setup_urls/`);
    return {
      ...args,
      id: String(id),
      ...{ issuerUrl: urls.issuer as Value, authorizeUrl: urls.authorize as Value, tokenUrl: urls.token as Value },
      ...{ userInfoUrl: urls.user_info as Value, providerInfoUrl: urls.provider_info as Value },
      ...{ logoutUrl: urls.logout as Value, jwksUrl: urls.jwks as Value },
    };
  },
};

function first(found: Properties[], otherwise: string): Properties {
  if (!found[0]) throw new Error(otherwise);
  return found[0];
}

function only(found: Properties[], what: string): Properties {
  if (found.length > 1) throw new Error(`Multiple ${what} found`);
  return first(found, `No matching ${what} found`);
}

/** Some fields of an answer, under their Pulumi names. */
function pick(answer: Properties, fields: string[]): Properties {
  const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(fields.map((field) => [camel(field), answer[field] ?? ""]));
}

/** 2027-11-24T12:00:11Z -> 2027-11-24 12:00:11 +0000 UTC */
function goTime(text: string): string {
  return `${new Date(text).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
