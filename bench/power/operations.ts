/** none: no config.json. Each of the others tells by its name how it came about. */
export type Configuration =
  | "none"
  | "open"
  | "first"
  | "second"
  | "realm"
  | "rotated"
  | "rotated again"
  | "broken"
  | "farewell";

export type Step = "install" | "claim" | "put-secret" | "activate" | "rollback" | "restore" | "close";

/** What a program has the agent do, to be cut off at any point. */
export interface PowerOperation {
  name: string;
  /** What has been in place before, one after the other; the first as the agent found it. */
  history: [Configuration, ...Configuration[]];
  to: Configuration;
  /** Each is answered for by itself. */
  steps: Step[];
  /** Whether it starts from what an agent left that was killed while it restarted zot. */
  killed?: boolean;
}

const UP: Step[] = ["install", "claim", "put-secret", "activate"];

export const POWER_OPERATIONS: readonly PowerOperation[] = [
  { name: "first hardening", history: ["open"], to: "first", steps: UP },
  { name: "first configuration", history: ["none"], to: "first", steps: UP },
  { name: "install", history: ["open", "first"], to: "first", steps: ["install"] },
  { name: "put-secret", history: ["open", "first"], to: "first", steps: ["put-secret"] },
  { name: "reload that grows", history: ["open", "first"], to: "second", steps: ["activate"] },
  { name: "reload that shrinks", history: ["open", "first", "second"], to: "first", steps: ["activate"] },
  { name: "restart", history: ["open", "first"], to: "realm", steps: ["activate"] },
  {
    name: "rotation",
    history: ["open", "first", "rotated"],
    to: "rotated again",
    steps: ["put-secret", "activate"],
  },
  { name: "rollback", history: ["open", "first", "realm"], to: "first", steps: ["rollback"] },
  { name: "failed activation", history: ["open", "first"], to: "broken", steps: ["activate"] },
  { name: "recovery", history: ["open", "first"], to: "realm", steps: ["put-secret"], killed: true },
  { name: "restore", history: ["open", "first", "second"], to: "open", steps: ["restore"] },
  { name: "close", history: ["open", "first"], to: "farewell", steps: ["close"] },
  { name: "restore to nothing", history: ["none", "first"], to: "none", steps: ["restore"] },
];
