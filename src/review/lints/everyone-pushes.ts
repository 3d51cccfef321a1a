import { error, type Lint, ruleOf } from "./finding";

export const everyonePushes: Lint = {
  why: "defaultPolicy is for whoever can log in at all, and is not limited to a group or a form of tags",
  fix: "grant create to a group (harden-zot:access.groups, harden-zot:ci)",
  find: ({ accessControl: { repositories } }) =>
    [...repositories]
      .filter(([, { defaultPolicy }]) => defaultPolicy.includes("create"))
      .map(([pattern]) => error(`${ruleOf(pattern)}.defaultPolicy`, "everyone logged in may push")),
};
