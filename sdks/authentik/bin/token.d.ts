import * as pulumi from "@pulumi/pulumi";
export declare class Token extends pulumi.CustomResource {
    /**
     * Get an existing Token resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: TokenState, opts?: pulumi.CustomResourceOptions): Token;
    /**
     * Returns true if the given object is an instance of Token.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is Token;
    readonly description: pulumi.Output<string | undefined>;
    readonly expires: pulumi.Output<string | undefined>;
    readonly expiresIn: pulumi.Output<number>;
    readonly expiring: pulumi.Output<boolean | undefined>;
    readonly identifier: pulumi.Output<string>;
    readonly intent: pulumi.Output<string | undefined>;
    readonly key: pulumi.Output<string>;
    readonly retrieveKey: pulumi.Output<boolean | undefined>;
    readonly tokenId: pulumi.Output<string>;
    readonly user: pulumi.Output<number>;
    /**
     * Create a Token resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: TokenArgs, opts?: pulumi.CustomResourceOptions);
}
export interface TokenState {
    description?: pulumi.Input<string | undefined>;
    expires?: pulumi.Input<string | undefined>;
    expiresIn?: pulumi.Input<number | undefined>;
    expiring?: pulumi.Input<boolean | undefined>;
    identifier?: pulumi.Input<string | undefined>;
    intent?: pulumi.Input<string | undefined>;
    key?: pulumi.Input<string | undefined>;
    retrieveKey?: pulumi.Input<boolean | undefined>;
    tokenId?: pulumi.Input<string | undefined>;
    user?: pulumi.Input<number | undefined>;
}
/**
 * The set of arguments for constructing a Token resource.
 */
export interface TokenArgs {
    description?: pulumi.Input<string | undefined>;
    expires?: pulumi.Input<string | undefined>;
    expiring?: pulumi.Input<boolean | undefined>;
    identifier: pulumi.Input<string>;
    intent?: pulumi.Input<string | undefined>;
    retrieveKey?: pulumi.Input<boolean | undefined>;
    tokenId?: pulumi.Input<string | undefined>;
    user: pulumi.Input<number>;
}
