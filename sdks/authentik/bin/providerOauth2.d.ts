import * as pulumi from "@pulumi/pulumi";
export declare class ProviderOauth2 extends pulumi.CustomResource {
    /**
     * Get an existing ProviderOauth2 resource's state with the given name, ID, and optional extra
     * properties used to qualify the lookup.
     *
     * @param name The _unique_ name of the resulting resource.
     * @param id The _unique_ provider ID of the resource to lookup.
     * @param state Any extra arguments used during the lookup.
     * @param opts Optional settings to control the behavior of the CustomResource.
     */
    static get(name: string, id: pulumi.Input<pulumi.ID>, state?: ProviderOauth2State, opts?: pulumi.CustomResourceOptions): ProviderOauth2;
    /**
     * Returns true if the given object is an instance of ProviderOauth2.  This is designed to work even
     * when multiple copies of the Pulumi SDK have been loaded into the same process.
     */
    static isInstance(obj: any): obj is ProviderOauth2;
    readonly accessCodeValidity: pulumi.Output<string | undefined>;
    readonly accessTokenValidity: pulumi.Output<string | undefined>;
    readonly allowedRedirectUris: pulumi.Output<{
        [key: string]: string;
    }[] | undefined>;
    readonly authenticationFlow: pulumi.Output<string | undefined>;
    readonly authorizationFlow: pulumi.Output<string>;
    readonly clientId: pulumi.Output<string>;
    readonly clientSecret: pulumi.Output<string>;
    readonly clientType: pulumi.Output<string | undefined>;
    readonly encryptionKey: pulumi.Output<string | undefined>;
    readonly grantTypes: pulumi.Output<string[]>;
    readonly includeClaimsInIdToken: pulumi.Output<boolean | undefined>;
    readonly invalidationFlow: pulumi.Output<string>;
    readonly issuerMode: pulumi.Output<string | undefined>;
    readonly jwksSources: pulumi.Output<string[] | undefined>;
    readonly jwtFederationProviders: pulumi.Output<number[] | undefined>;
    readonly jwtFederationSources: pulumi.Output<string[] | undefined>;
    readonly logoutMethod: pulumi.Output<string | undefined>;
    readonly logoutUri: pulumi.Output<string | undefined>;
    readonly name: pulumi.Output<string>;
    readonly propertyMappings: pulumi.Output<string[] | undefined>;
    readonly providerOauth2Id: pulumi.Output<string>;
    readonly refreshTokenThreshold: pulumi.Output<string | undefined>;
    readonly refreshTokenValidity: pulumi.Output<string | undefined>;
    readonly signingKey: pulumi.Output<string | undefined>;
    readonly subMode: pulumi.Output<string | undefined>;
    /**
     * Create a ProviderOauth2 resource with the given unique name, arguments, and options.
     *
     * @param name The _unique_ name of the resource.
     * @param args The arguments to use to populate this resource's properties.
     * @param opts A bag of options that control this resource's behavior.
     */
    constructor(name: string, args: ProviderOauth2Args, opts?: pulumi.CustomResourceOptions);
}
export interface ProviderOauth2State {
    accessCodeValidity?: pulumi.Input<string | undefined>;
    accessTokenValidity?: pulumi.Input<string | undefined>;
    allowedRedirectUris?: pulumi.Input<pulumi.Input<{
        [key: string]: pulumi.Input<string>;
    }>[] | undefined>;
    authenticationFlow?: pulumi.Input<string | undefined>;
    authorizationFlow?: pulumi.Input<string | undefined>;
    clientId?: pulumi.Input<string | undefined>;
    clientSecret?: pulumi.Input<string | undefined>;
    clientType?: pulumi.Input<string | undefined>;
    encryptionKey?: pulumi.Input<string | undefined>;
    grantTypes?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    includeClaimsInIdToken?: pulumi.Input<boolean | undefined>;
    invalidationFlow?: pulumi.Input<string | undefined>;
    issuerMode?: pulumi.Input<string | undefined>;
    jwksSources?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    jwtFederationProviders?: pulumi.Input<pulumi.Input<number>[] | undefined>;
    jwtFederationSources?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    logoutMethod?: pulumi.Input<string | undefined>;
    logoutUri?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    propertyMappings?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    providerOauth2Id?: pulumi.Input<string | undefined>;
    refreshTokenThreshold?: pulumi.Input<string | undefined>;
    refreshTokenValidity?: pulumi.Input<string | undefined>;
    signingKey?: pulumi.Input<string | undefined>;
    subMode?: pulumi.Input<string | undefined>;
}
/**
 * The set of arguments for constructing a ProviderOauth2 resource.
 */
export interface ProviderOauth2Args {
    accessCodeValidity?: pulumi.Input<string | undefined>;
    accessTokenValidity?: pulumi.Input<string | undefined>;
    allowedRedirectUris?: pulumi.Input<pulumi.Input<{
        [key: string]: pulumi.Input<string>;
    }>[] | undefined>;
    authenticationFlow?: pulumi.Input<string | undefined>;
    authorizationFlow: pulumi.Input<string>;
    clientId: pulumi.Input<string>;
    clientSecret?: pulumi.Input<string | undefined>;
    clientType?: pulumi.Input<string | undefined>;
    encryptionKey?: pulumi.Input<string | undefined>;
    grantTypes?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    includeClaimsInIdToken?: pulumi.Input<boolean | undefined>;
    invalidationFlow: pulumi.Input<string>;
    issuerMode?: pulumi.Input<string | undefined>;
    jwksSources?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    jwtFederationProviders?: pulumi.Input<pulumi.Input<number>[] | undefined>;
    jwtFederationSources?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    logoutMethod?: pulumi.Input<string | undefined>;
    logoutUri?: pulumi.Input<string | undefined>;
    name?: pulumi.Input<string | undefined>;
    propertyMappings?: pulumi.Input<pulumi.Input<string>[] | undefined>;
    providerOauth2Id?: pulumi.Input<string | undefined>;
    refreshTokenThreshold?: pulumi.Input<string | undefined>;
    refreshTokenValidity?: pulumi.Input<string | undefined>;
    signingKey?: pulumi.Input<string | undefined>;
    subMode?: pulumi.Input<string | undefined>;
}
