import * as pulumi from "@pulumi/pulumi";
import * as outputs from "./types/output";
export declare function getGroup(args?: GetGroupArgs, opts?: pulumi.InvokeOptions): Promise<GetGroupResult>;
export interface GetGroupArgs {
    id?: string;
    includeUsers?: boolean;
    name?: string;
    pk?: string;
}
export interface GetGroupResult {
    readonly attributes: string;
    readonly id: string;
    readonly includeUsers?: boolean;
    readonly isSuperuser: boolean;
    readonly name?: string;
    readonly numPk: number;
    readonly parentName: string;
    readonly parents: string[];
    readonly pk?: string;
    readonly users: number[];
    readonly usersObjs: outputs.GetGroupUsersObj[];
}
export declare function getGroupOutput(args?: GetGroupOutputArgs, opts?: pulumi.InvokeOutputOptions): pulumi.Output<GetGroupResult>;
export interface GetGroupOutputArgs {
    id?: pulumi.Input<string | undefined>;
    includeUsers?: pulumi.Input<boolean | undefined>;
    name?: pulumi.Input<string | undefined>;
    pk?: pulumi.Input<string | undefined>;
}
