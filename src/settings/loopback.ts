/** @param host name or address, an IPv6 address in brackets or without */
export const isLoopback = (host: string) => /^(localhost|127(\.\d+){1,3}|::1|\[::1\])$/i.test(host);
