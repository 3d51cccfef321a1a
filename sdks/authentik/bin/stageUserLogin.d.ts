import * as pulumi from "@pulumi/pulumi";
export declare class StageUserLogin extends pulumi.CustomResource {
    /**
     * Get an existing StageUserLogin resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: StageUserLoginState, opts?: pulumi.CustomResourceOptions): StageUserLogin;
    /**
     * Returns true if the given object is an instance of StageUserLogin.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is StageUserLogin;
    readonly geoipBinding: pulumi.Output<string | undefined>;
    readonly name: pulumi.Output<string>;
    readonly networkBinding: pulumi.Output<string | undefined>;
    readonly rememberDevice: pulumi.Output<string | undefined>;
    readonly rememberMeOffset: pulumi.Output<string | undefined>;
    readonly sessionDuration: pulumi.Output<string | undefined>;
    readonly stageUserLoginId: pulumi.Output<string>;
    readonly terminateOtherSessions: pulumi.Output<boolean | undefined>;
    /**
     * Create a StageUserLogin resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args?: StageUserLoginArgs, opts?: pulumi.CustomResourceOptions);
}
export interface StageUserLoginState {
    geoipBinding?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    networkBinding?: pulumi.Input<string | undefined>;
    rememberDevice?: pulumi.Input<string | undefined>;
    rememberMeOffset?: pulumi.Input<string | undefined>;
    sessionDuration?: pulumi.Input<string | undefined>;
    stageUserLoginId?: pulumi.Input<string | undefined>;
    terminateOtherSessions?: pulumi.Input<boolean | undefined>;
}
/**
 * The set of arguments for constructing a StageUserLogin resource.
 */
export interface StageUserLoginArgs {
    geoipBinding?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    networkBinding?: pulumi.Input<string | undefined>;
    rememberDevice?: pulumi.Input<string | undefined>;
    rememberMeOffset?: pulumi.Input<string | undefined>;
    sessionDuration?: pulumi.Input<string | undefined>;
    stageUserLoginId?: pulumi.Input<string | undefined>;
    terminateOtherSessions?: pulumi.Input<boolean | undefined>;
}
