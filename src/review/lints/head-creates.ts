import { supports } from "../../zot/versions";
import { type Lint, note, ruleOf } from "./finding";

/** A note: zot's own default, which no stack need be told of at every run. */
export const headCreates: Lint = {
  why: "before zot 2.1.21 a HEAD for a blob that zot knows then creates the repository asked about, also by anonymous clients",
  fix: "upgrade zot, or set harden-zot:registry.storage.dedupe: false at the price of disk space",
  find: ({ accessControl: { repositories }, dedupe, rules: { registry } }) => {
    const [open] = [...repositories].find(([, { anonymousPolicy }]) => anonymousPolicy.includes("read")) ?? [];
    if (!dedupe || open === undefined || supports(registry.version, "blob reads that create nothing")) return [];
    return [note(`${ruleOf(open)}.anonymousPolicy`, "anonymous clients may read, and storage.dedupe is on")];
  },
};
