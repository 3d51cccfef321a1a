import * as pulumi from "@pulumi/pulumi";
export declare class User extends pulumi.CustomResource {
    /**
     * Get an existing User resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: UserState, opts?: pulumi.CustomResourceOptions): User;
    /**
     * Returns true if the given object is an instance of User.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is User;
    readonly attributes: pulumi.Output<string | undefined>;
    readonly email: pulumi.Output<string | undefined>;
    readonly groups: pulumi.Output<string[]>;
    readonly isActive: pulumi.Output<boolean | undefined>;
    readonly name: pulumi.Output<string>;
    readonly password: pulumi.Output<string | undefined>;
    readonly path: pulumi.Output<string | undefined>;
    readonly roles: pulumi.Output<string[]>;
    readonly type: pulumi.Output<string | undefined>;
    readonly userId: pulumi.Output<string>;
    readonly username: pulumi.Output<string>;
    /**
     * Create a User resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: UserArgs, opts?: pulumi.CustomResourceOptions);
}
export interface UserState {
    attributes?: pulumi.Input<string | undefined>;
    email?: pulumi.Input<string | undefined>;
    groups?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    isActive?: pulumi.Input<boolean | undefined>;
    name?: pulumi.Input<string | undefined>;
    password?: pulumi.Input<string | undefined>;
    path?: pulumi.Input<string | undefined>;
    roles?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    type?: pulumi.Input<string | undefined>;
    userId?: pulumi.Input<string | undefined>;
    username?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a User resource.
 */
export interface UserArgs {
    attributes?: pulumi.Input<string | undefined>;
    email?: pulumi.Input<string | undefined>;
    groups?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    isActive?: pulumi.Input<boolean | undefined>;
    name?: pulumi.Input<string | undefined>;
    password?: pulumi.Input<string | undefined>;
    path?: pulumi.Input<string | undefined>;
    roles?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    type?: pulumi.Input<string | undefined>;
    userId?: pulumi.Input<string | undefined>;
    username: pulumi.Input<string>;
}
