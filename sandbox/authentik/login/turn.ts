import { json, type Reply, type Request } from "../http";
import type { Flow, Stage } from "../model";
import type { Session, Sessions } from "../sessions";
import type { Store } from "../store";
import type { Plan } from "./plan";

/** What a stage may touch. */
export interface Turn {
  store: Store;
  sessions: Sessions;
  session: Session;
  plan: Plan;
  flow: Flow;
  stage: Stage;
  request: Request;
}

/** A stage is through, or it answers. */
export type Outcome = "passed" | Reply;

export function denied(flow: Flow, request: Request, error_message: string | null = null): Reply {
  const component = "ak-stage-access-denied";
  return json(200, { flow_info: flowInfo(flow, request), component, pending_user: "", error_message });
}

export function flowInfo(flow: Flow, request: Request, application = ""): object {
  const next = nextOf(request);
  return {
    title: flow.title.replace("%(app)s", application),
    background: "/static/dist/assets/images/flow_background.jpg",
    background_themed_urls: null,
    cancel_url: `/flows/-/cancel/${next ? `?next=${encodeURIComponent(next).replaceAll("%20", "+")}` : ""}`,
    layout: flow.layout,
  };
}

/** Only a path of this server: anything else would make the login page an open redirect. */
export function nextOf(request: Request): string | null {
  const next = new URLSearchParams(request.query.get("query") ?? "").get("next");
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : null;
}
