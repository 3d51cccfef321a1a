import * as pulumi from "@pulumi/pulumi";
export declare function getUser(args?: GetUserArgs, opts?: pulumi.InvokeOptions): Promise<GetUserResult>;
export interface GetUserArgs {
    id?: string;
    pk?: number;
    username?: string;
}
export interface GetUserResult {
    readonly attributes: string;
    readonly avatar: string;
    readonly dateJoined: string;
    readonly email: string;
    readonly groups: string[];
    readonly id: string;
    readonly isActive: boolean;
    readonly isSuperuser: boolean;
    readonly lastLogin: string;
    readonly name: string;
    readonly path: string;
    readonly pk: number;
    readonly type: string;
    readonly uid: string;
    readonly username: string;
    readonly uuid: string;
}
export declare function getUserOutput(args?: GetUserOutputArgs, opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetUserResult>;
export interface GetUserOutputArgs {
    id?: pulumi.Input<string | undefined>;
    pk?: pulumi.Input<number | undefined>;
    username?: pulumi.Input<string | undefined>;
}
