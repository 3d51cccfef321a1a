import * as pulumi from "@pulumi/pulumi";
export declare class PolicyExpression extends pulumi.CustomResource {
    /**
     * Get an existing PolicyExpression resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: PolicyExpressionState, opts?: pulumi.CustomResourceOptions): PolicyExpression;
    /**
     * Returns true if the given object is an instance of PolicyExpression.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is PolicyExpression;
    readonly executionLogging: pulumi.Output<boolean | undefined>;
    readonly expression: pulumi.Output<string>;
    readonly name: pulumi.Output<string>;
    readonly policyExpressionId: pulumi.Output<string>;
    /**
     * Create a PolicyExpression resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: PolicyExpressionArgs, opts?: pulumi.CustomResourceOptions);
}
export interface PolicyExpressionState {
    executionLogging?: pulumi.Input<boolean | undefined>;
    expression?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    policyExpressionId?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a PolicyExpression resource.
 */
export interface PolicyExpressionArgs {
    executionLogging?: pulumi.Input<boolean | undefined>;
    expression: pulumi.Input<string>;
    name?: pulumi.Input<string | undefined>;
    policyExpressionId?: pulumi.Input<string | undefined>;
}
