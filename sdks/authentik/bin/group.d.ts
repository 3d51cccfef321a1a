import * as pulumi from "@pulumi/pulumi";
export declare class Group extends pulumi.CustomResource {
    /**
     * Get an existing Group resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: GroupState, opts?: pulumi.CustomResourceOptions): Group;
    /**
     * Returns true if the given object is an instance of Group.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is Group;
    readonly attributes: pulumi.Output<string | undefined>;
    readonly groupId: pulumi.Output<string>;
    readonly isSuperuser: pulumi.Output<boolean | undefined>;
    readonly name: pulumi.Output<string>;
    readonly parents: pulumi.Output<string[] | undefined>;
    readonly roles: pulumi.Output<string[] | undefined>;
    readonly users: pulumi.Output<number[]>;
    /**
     * Create a Group resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args?: GroupArgs, opts?: pulumi.CustomResourceOptions);
}
export interface GroupState {
    attributes?: pulumi.Input<string | undefined>;
    groupId?: pulumi.Input<string | undefined>;
    isSuperuser?: pulumi.Input<boolean | undefined>;
    name?: pulumi.Input<string | undefined>;
    parents?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    roles?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    users?: pulumi.Input<pulumi.Input<number>[] | undefined>;
}
/**
 * The set of arguments for constructing a Group resource.
 */
export interface GroupArgs {
    attributes?: pulumi.Input<string | undefined>;
    groupId?: pulumi.Input<string | undefined>;
    isSuperuser?: pulumi.Input<boolean | undefined>;
    name?: pulumi.Input<string | undefined>;
    parents?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    roles?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    users?: pulumi.Input<pulumi.Input<number>[] | undefined>;
}
