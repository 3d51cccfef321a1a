/** What CI is handed for one identity. */
export interface HandOver {
  /** host[:port] of the registry's externalUrl, as image references begin. */
  registry: string;
  username: string;
  /** Secret. */
  apiKey: string;
  /** RFC 3339 */
  expiresAt: string;
}

/** host[:port] of the registry: what image references begin with and what clients file a login under. */
export function registryHost(externalUrl: string): string {
  return new URL(externalUrl).host;
}

/**
 * Content of a config.json as docker, podman (--authfile), skopeo, crane, regctl, oras, kaniko and buildkit read it: a login
 * is filed under host[:port], as base64 of "user:key" (docker/cli, config/configfile). Secret.
 */
export function dockerConfigJson({ registry, username, apiKey }: HandOver): string {
  const auth = Buffer.from(`${username}:${apiKey}`).toString("base64");
  return JSON.stringify({ auths: { [registry]: { auth } } });
}

/**
 * For each tool one line of POSIX shell that logs it in, to be run where the stack is; needs jq. The key travels on stdin or
 * in a file whose directory is for its owner alone, never as an argument. Holds no secret.
 * @returns by tool: docker, podman, skopeo, crane, regctl, oras, dagger, kaniko, buildkit
 */
export function loginLines({ registry, username }: Pick<HandOver, "registry" | "username">): Record<string, string> {
  const secret = (name: string) =>
    `pulumi stack output --show-secrets --json ciSecrets | jq -r '.["${username}"].${name}'`;
  const key = secret("apiKey");
  // mktemp makes the directory for its owner alone.
  const file = `export DOCKER_CONFIG="$(mktemp -d)" && ${secret("dockerConfigJson")} > "$DOCKER_CONFIG/config.json"`;
  return {
    docker: `${key} | docker login ${registry} --username ${username} --password-stdin`,
    podman: `${key} | podman login ${registry} --username ${username} --password-stdin`,
    skopeo: `${key} | skopeo login ${registry} --username ${username} --password-stdin`,
    crane: `${key} | crane auth login ${registry} --username ${username} --password-stdin`,
    regctl: `${key} | regctl registry login ${registry} --user ${username} --pass-stdin`,
    oras: `${key} | oras login ${registry} --username ${username} --password-stdin`,
    dagger: file,
    kaniko: `${file} # mount this directory at /kaniko/.docker`,
    buildkit: file,
  };
}
