import { error, type Lint } from "./finding";
import { isNobody } from "./policies";

export const noAdministrator: Lint = {
  why: "a bad push or a leaked image could not be removed by anybody",
  fix: 'let adminPolicy name a group or user with at least the actions "read" and "delete"',
  find: ({ accessControl: { adminPolicy } }) => {
    if (isNobody(adminPolicy)) return [error("adminPolicy", "names nobody")];
    const missing = ["read", "delete"].filter((action) => !adminPolicy.actions.includes(action));
    return missing.length > 0 ? [error("adminPolicy", `lacks ${missing.join(" and ")}`)] : [];
  },
};
