import * as pulumi from "@pulumi/pulumi";

/** One resource as the last run left it in this stack's state, secrets in the clear. */
export interface LastResource {
  /** As the program called it. */
  name: string;
  type: string;
  /** Type of the component that it is a part of, such as harden-zot:host:RegistryHost; two may have parts of one name. */
  component: string;
  outputs: Record<string, unknown>;
}

/** What the engine says of its own state; a resource that only waits for its deletion is not in it. */
export async function readLastState(): Promise<LastResource[]> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = (await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })) as {
    outputs?: Record<string, { type: string; outputs: Record<string, unknown> }>;
  };
  return Object.entries(outputs ?? {}).map(([urn, { type, outputs }]) => {
    const [, , path, name] = urn.split("::") as [string, string, string, string];
    return { name, type, component: path.split("$").at(-2) ?? "", outputs };
  });
}

/** What a local command of that name printed as JSON in an earlier run; undefined where there is none. */
export function printedBy<Printed>(last: LastResource[], name: string): Printed | undefined {
  const found = last.find((resource) => resource.type === "command:local:Command" && resource.name === name);
  return typeof found?.outputs.stdout === "string" && found.outputs.stdout !== ""
    ? (JSON.parse(found.outputs.stdout) as Printed)
    : undefined;
}
