import * as pulumi from "@pulumi/pulumi";
export declare class CertificateKeyPair extends pulumi.CustomResource {
    /**
     * Get an existing CertificateKeyPair resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: CertificateKeyPairState, opts?: pulumi.CustomResourceOptions): CertificateKeyPair;
    /**
     * Returns true if the given object is an instance of CertificateKeyPair.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is CertificateKeyPair;
    readonly certificateData: pulumi.Output<string>;
    readonly certificateKeyPairId: pulumi.Output<string>;
    readonly keyData: pulumi.Output<string | undefined>;
    readonly name: pulumi.Output<string>;
    /**
     * Create a CertificateKeyPair resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: CertificateKeyPairArgs, opts?: pulumi.CustomResourceOptions);
}
export interface CertificateKeyPairState {
    certificateData?: pulumi.Input<string | undefined>;
    certificateKeyPairId?: pulumi.Input<string | undefined>;
    keyData?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a CertificateKeyPair resource.
 */
export interface CertificateKeyPairArgs {
    certificateData: pulumi.Input<string>;
    certificateKeyPairId?: pulumi.Input<string | undefined>;
    keyData?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
}
