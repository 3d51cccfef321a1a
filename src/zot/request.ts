export interface HttpRequest {
  method: string;
  /** Path with query, as on the request line. */
  path: string;
  userAgent?: string;
  /** Address of the peer; default 127.0.0.1. */
  clientIp?: string;
  /** X-Forwarded-For, split. */
  forwardedFor?: readonly string[];
  /** "1.2" or "1.3" on TLS. */
  tlsVersion?: string;
  /** Whether it asks for a part alone (Range). */
  ranged?: boolean;
}
