import * as pulumi from "@pulumi/pulumi";
export declare class PolicyBinding extends pulumi.CustomResource {
    /**
     * Get an existing PolicyBinding resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: PolicyBindingState, opts?: pulumi.CustomResourceOptions): PolicyBinding;
    /**
     * Returns true if the given object is an instance of PolicyBinding.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is PolicyBinding;
    readonly enabled: pulumi.Output<boolean | undefined>;
    readonly failureResult: pulumi.Output<boolean | undefined>;
    readonly group: pulumi.Output<string | undefined>;
    readonly negate: pulumi.Output<boolean | undefined>;
    readonly order: pulumi.Output<number>;
    readonly policy: pulumi.Output<string | undefined>;
    readonly policyBindingId: pulumi.Output<string>;
    readonly target: pulumi.Output<string>;
    readonly timeout: pulumi.Output<number | undefined>;
    readonly user: pulumi.Output<number | undefined>;
    /**
     * Create a PolicyBinding resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: PolicyBindingArgs, opts?: pulumi.CustomResourceOptions);
}
export interface PolicyBindingState {
    enabled?: pulumi.Input<boolean | undefined>;
    failureResult?: pulumi.Input<boolean | undefined>;
    group?: pulumi.Input<string | undefined>;
    negate?: pulumi.Input<boolean | undefined>;
    order?: pulumi.Input<number | undefined>;
    policy?: pulumi.Input<string | undefined>;
    policyBindingId?: pulumi.Input<string | undefined>;
    target?: pulumi.Input<string | undefined>;
    timeout?: pulumi.Input<number | undefined>;
    user?: pulumi.Input<number | undefined>;
}
/**
 * The set of arguments for constructing a PolicyBinding resource.
 */
export interface PolicyBindingArgs {
    enabled?: pulumi.Input<boolean | undefined>;
    failureResult?: pulumi.Input<boolean | undefined>;
    group?: pulumi.Input<string | undefined>;
    negate?: pulumi.Input<boolean | undefined>;
    order: pulumi.Input<number>;
    policy?: pulumi.Input<string | undefined>;
    policyBindingId?: pulumi.Input<string | undefined>;
    target: pulumi.Input<string>;
    timeout?: pulumi.Input<number | undefined>;
    user?: pulumi.Input<number | undefined>;
}
