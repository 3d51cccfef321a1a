import * as pulumi from "@pulumi/pulumi";
export declare class FlowStageBinding extends pulumi.CustomResource {
    /**
     * Get an existing FlowStageBinding resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: FlowStageBindingState, opts?: pulumi.CustomResourceOptions): FlowStageBinding;
    /**
     * Returns true if the given object is an instance of FlowStageBinding.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is FlowStageBinding;
    readonly evaluateOnPlan: pulumi.Output<boolean | undefined>;
    readonly flowStageBindingId: pulumi.Output<string>;
    readonly invalidResponseAction: pulumi.Output<string | undefined>;
    readonly order: pulumi.Output<number>;
    readonly policyEngineMode: pulumi.Output<string | undefined>;
    readonly reEvaluatePolicies: pulumi.Output<boolean | undefined>;
    readonly stage: pulumi.Output<string>;
    readonly target: pulumi.Output<string>;
    /**
     * Create a FlowStageBinding resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: FlowStageBindingArgs, opts?: pulumi.CustomResourceOptions);
}
export interface FlowStageBindingState {
    evaluateOnPlan?: pulumi.Input<boolean | undefined>;
    flowStageBindingId?: pulumi.Input<string | undefined>;
    invalidResponseAction?: pulumi.Input<string | undefined>;
    order?: pulumi.Input<number | undefined>;
    policyEngineMode?: pulumi.Input<string | undefined>;
    reEvaluatePolicies?: pulumi.Input<boolean | undefined>;
    stage?: pulumi.Input<string | undefined>;
    target?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a FlowStageBinding resource.
 */
export interface FlowStageBindingArgs {
    evaluateOnPlan?: pulumi.Input<boolean | undefined>;
    flowStageBindingId?: pulumi.Input<string | undefined>;
    invalidResponseAction?: pulumi.Input<string | undefined>;
    order: pulumi.Input<number>;
    policyEngineMode?: pulumi.Input<string | undefined>;
    reEvaluatePolicies?: pulumi.Input<boolean | undefined>;
    stage: pulumi.Input<string>;
    target: pulumi.Input<string>;
}
