import * as authentik from "@pulumi/authentik";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../settings/settings";

/** Slug of the login flow that the stack declares for its CI accounts. */
function ciLoginFlowSlug({ identity }: Pick<Settings, "identity">): string {
  return `${identity.slug}-ci-login`;
}

/** Long enough to mint a key, and no longer. */
const SESSION = "minutes=5";

/**
 * A login flow for CI accounts alone: it takes app passwords only, and logs in only who is in a CI group. So the default
 * flow may ask everybody for a second factor, and is neither weakened nor in the way (tried on Authentik 2026.2.2,
 * docs/facts.md).
 */
export class CiLoginFlow extends pulumi.ComponentResource {
  readonly slug: string;
  private readonly stages: authentik.FlowStageBinding[];
  private readonly admissions: Map<string, authentik.PolicyBinding>;

  /** @param groups name of each CI group -> its id */
  constructor(
    name: string,
    settings: Settings,
    groups: Map<string, pulumi.Input<string>>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("harden-zot:identity:CiLoginFlow", name, {}, options);
    this.slug = ciLoginFlowSlug(settings);
    const flow = this.createFlow(name, settings);
    this.stages = this.createStages(name).map((stage, order) => this.bindStage(flow, stage, order));
    // At the flow itself the visitor is still nobody, and a group bound there would refuse everybody.
    const target = (this.stages.at(-1) as authentik.FlowStageBinding).id;
    this.admissions = new Map(
      [...groups].map(([group, id], order) => [
        group,
        new authentik.PolicyBinding(`${name}-admit-${group}`, { target, group: id, order }, { parent: this }),
      ]),
    );
    this.registerOutputs({});
  }

  /** What a member of that group needs to log in. To depend on all of it would be to depend on every other group too. */
  admitting(group: string): pulumi.Resource[] {
    return [...this.stages, this.admissions.get(group) as authentik.PolicyBinding];
  }

  private createFlow(name: string, { identity }: Settings): authentik.Flow {
    return new authentik.Flow(
      name,
      {
        name: this.slug,
        slug: this.slug,
        title: `${identity.name}: CI accounts`,
        designation: "authentication",
        authentication: "none",
      },
      { parent: this },
    );
  }

  private createStages(name: string): [name: string, id: pulumi.Input<string>][] {
    const child = { parent: this };
    const stage = (step: string) => [`${name}-${step}`, { name: `${this.slug}-${step}` }] as const;
    const [identification, who] = stage("identification");
    const [password, appPassword] = stage("password");
    const [login, session] = stage("user-login");
    return [
      [
        identification,
        new authentik.StageIdentification(identification, { ...who, userFields: ["username"] }, child).id,
      ],
      [
        password,
        new authentik.StagePassword(password, { ...appPassword, backends: ["authentik.core.auth.TokenBackend"] }, child)
          .id,
      ],
      [login, new authentik.StageUserLogin(login, { ...session, sessionDuration: SESSION }, child).id],
    ];
  }

  private bindStage(
    flow: authentik.Flow,
    [name, stage]: [string, pulumi.Input<string>],
    order: number,
  ): authentik.FlowStageBinding {
    return new authentik.FlowStageBinding(
      `${name}-stage`,
      { target: flow.uuid, stage, order, evaluateOnPlan: false, reEvaluatePolicies: true },
      { parent: this },
    );
  }
}
