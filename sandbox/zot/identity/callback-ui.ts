/**
 * Where a login may send the browser afterwards (zot 2.1.20, ValidateCallbackUI): a path of this origin, or a URL of an
 * allowed origin; anything else becomes "/", nothing stays nothing.
 */
export function allowedRedirect(target: string, origins: string[]): string {
  if (target === "") return "";
  if (/[\r\n\\]|%5c/i.test(target) || target.startsWith("//")) return "/";
  if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) return target.startsWith("/") ? target : "/";
  const origin = originOf(target);
  return origin !== undefined && origins.map(originOf).includes(origin) ? target : "/";
}

function originOf(url: string): string | undefined {
  try {
    const { protocol, origin } = new URL(url.trim());
    return protocol === "http:" || protocol === "https:" ? origin : undefined;
  } catch {
    return undefined;
  }
}
