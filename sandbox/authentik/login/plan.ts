import type { Flow } from "../model";
import type { Store } from "../store";

/** How the password stage let a user in: `password` for a real one, `token` for an app password. */
export type LoginMethod = "password" | "token" | null;

/** A flow under way in one session. */
export interface Plan {
  flow: string;
  /** pks of the stage bindings still to come; the first is the current one. */
  bindings: string[];
  /** What was typed at the identification stage, and who that is, if anybody. */
  identifier: string;
  pendingUser: number | null;
  /** Set by the password stage once it accepted. */
  method: LoginMethod;
  failedPasswords: number;
  /** Where the flow ends; absent: the `next` of the page that runs it. */
  destination?: () => string;
  /** The application that sent the user here. */
  application?: string;
  /** Scopes that the consent stage lists, and the proof that its page was seen. */
  permissions?: { name: string; id: string }[];
  consentToken?: string;
  /** Codes are handed out by a last step of their own, after the flow's stages. */
  fulfils?: boolean;
  /** The flow follows a logout from `application` and ends with a page about it. */
  endsSession?: boolean;
}

export function newPlan(store: Store, flow: Flow, extra: Partial<Plan> = {}): Plan {
  const bindings = store.state.flowBindings
    .filter((binding) => binding.target === flow.pk)
    .sort((a, b) => a.order - b.order)
    .map((binding) => binding.pk);
  return { flow: flow.pk, bindings, identifier: "", pendingUser: null, method: null, failedPasswords: 0, ...extra };
}
