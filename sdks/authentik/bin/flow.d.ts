import * as pulumi from "@pulumi/pulumi";
export declare class Flow extends pulumi.CustomResource {
    /**
     * Get an existing Flow resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: FlowState, opts?: pulumi.CustomResourceOptions): Flow;
    /**
     * Returns true if the given object is an instance of Flow.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is Flow;
    readonly authentication: pulumi.Output<string | undefined>;
    readonly background: pulumi.Output<string | undefined>;
    readonly compatibilityMode: pulumi.Output<boolean | undefined>;
    readonly deniedAction: pulumi.Output<string | undefined>;
    readonly designation: pulumi.Output<string>;
    readonly flowId: pulumi.Output<string>;
    readonly layout: pulumi.Output<string | undefined>;
    readonly name: pulumi.Output<string>;
    readonly policyEngineMode: pulumi.Output<string | undefined>;
    readonly slug: pulumi.Output<string>;
    readonly title: pulumi.Output<string>;
    readonly uuid: pulumi.Output<string>;
    /**
     * Create a Flow resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: FlowArgs, opts?: pulumi.CustomResourceOptions);
}
export interface FlowState {
    authentication?: pulumi.Input<string | undefined>;
    background?: pulumi.Input<string | undefined>;
    compatibilityMode?: pulumi.Input<boolean | undefined>;
    deniedAction?: pulumi.Input<string | undefined>;
    designation?: pulumi.Input<string | undefined>;
    flowId?: pulumi.Input<string | undefined>;
    layout?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    policyEngineMode?: pulumi.Input<string | undefined>;
    slug?: pulumi.Input<string | undefined>;
    title?: pulumi.Input<string | undefined>;
    uuid?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a Flow resource.
 */
export interface FlowArgs {
    authentication?: pulumi.Input<string | undefined>;
    background?: pulumi.Input<string | undefined>;
    compatibilityMode?: pulumi.Input<boolean | undefined>;
    deniedAction?: pulumi.Input<string | undefined>;
    designation: pulumi.Input<string>;
    flowId?: pulumi.Input<string | undefined>;
    layout?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    policyEngineMode?: pulumi.Input<string | undefined>;
    slug: pulumi.Input<string>;
    title: pulumi.Input<string>;
}
