export declare const headers: {
    [key: string]: string;
} | undefined;
export declare const insecure: boolean | undefined;
export declare const token: string | undefined;
export declare const url: string | undefined;
