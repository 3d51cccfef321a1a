import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildOnce, cachedFor } from "../go-build";
import { ensureDebianPackage } from "../tools";

interface Run {
  code: number;
  /** Both streams in order. */
  output: string;
}

/** A registry client, as its user at a shell would use it; the registry speaks plain http. */
export interface Client {
  name: "skopeo" | "crane" | "regctl" | "oras";
  /** The key goes in on stdin. */
  login(registry: string, username: string, key: string): Promise<Run>;
  /** @param layout directory of an OCI image layout @param tag of the image in it */
  push(layout: string, tag: string, reference: string): Promise<Run>;
  /** Into an OCI image layout. @param reference with a tag or a digest */
  pull(reference: string, layout: string): Promise<Run>;
}

/**
 * Real registry clients: skopeo from Debian, the others built once from their Go modules.
 * @param home their HOME, where their logins are; of nobody else
 */
export async function ensureClients(home: string, log: (line: string) => void): Promise<Client[]> {
  const skopeoPath = ensureDebianPackage("skopeo", "skopeo");
  const built = await ensureGoClients(log);
  return [
    skopeo(runner(skopeoPath, join(home, "skopeo"))),
    ...[crane, regctl, oras].map((client) => client(runner(join(built, client.name), join(home, client.name)))),
  ];
}

/** @returns the folder of crane, regctl and oras */
async function ensureGoClients(log: (line: string) => void): Promise<string> {
  const directory = cachedFor("clients", __dirname);
  await buildOnce(
    {
      what: "crane, regctl and oras",
      minutes: 1,
      module: __dirname,
      packages: [
        "github.com/google/go-containerregistry/cmd/crane",
        "github.com/regclient/regclient/cmd/regctl",
        "oras.land/oras/cmd/oras",
      ],
      directory,
      otherwise: "the registry clients are missing: there is no Go",
    },
    log,
  );
  return directory;
}

/** The linter of workflow files. @returns its path */
export async function ensureActionlint(log: (line: string) => void): Promise<string> {
  const module = join(__dirname, "actionlint");
  const directory = cachedFor("actionlint", module);
  const packages = ["github.com/rhysd/actionlint/cmd/actionlint"];
  const otherwise = "actionlint is missing: there is no Go";
  await buildOnce({ what: "actionlint", minutes: 1, module, packages, directory, otherwise }, log);
  return join(directory, "actionlint");
}

type Runner = (args: string[], stdin?: string) => Promise<Run>;

function runner(command: string, home: string): Runner {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    DOCKER_CONFIG: home,
    REGISTRY_AUTH_FILE: join(home, "config.json"),
    REGCTL_CONFIG: join(home, "regctl.json"),
  };
  return (args, stdin = "") => {
    const child = spawn(command, args, { env, cwd: home });
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.stdin.on("error", () => {}); // it need not read what it is given
    child.stdin.end(stdin);
    return new Promise((settle, fail) => {
      child.once("error", fail);
      child.once("close", (code) => settle({ code: code ?? 1, output }));
    });
  };
}

/** 1.9 and later; --insecure-policy: Debian's package brings no policy of its own. */
function skopeo(run: Runner): Client {
  const copy = (...args: string[]) => run(["--insecure-policy", "copy", "--quiet", "--preserve-digests", ...args]);
  return {
    name: "skopeo",
    login: (registry, username, key) =>
      run(["login", registry, "--tls-verify=false", "--username", username, "--password-stdin"], key),
    push: (layout, tag, reference) => copy("--dest-tls-verify=false", `oci:${layout}:${tag}`, `docker://${reference}`),
    pull: (reference, layout) => copy("--src-tls-verify=false", `docker://${reference}`, `oci:${layout}:pulled`),
  };
}

function crane(run: Runner): Client {
  return {
    name: "crane",
    login: (registry, username, key) =>
      run(["auth", "login", registry, "--username", username, "--password-stdin"], key),
    push: (layout, _, reference) => run(["push", "--insecure", layout, reference]),
    pull: (reference, layout) => run(["pull", "--insecure", "--format=oci", reference, layout]),
  };
}

function regctl(run: Runner): Client {
  return {
    name: "regctl",
    login: async (registry, username, key) => {
      await run(["registry", "set", "--tls", "disabled", registry]);
      return run(["registry", "login", registry, "--user", username, "--pass-stdin"], key);
    },
    push: (layout, tag, reference) => run(["image", "copy", `ocidir://${layout}:${tag}`, reference]),
    pull: (reference, layout) => run(["image", "copy", reference, `ocidir://${layout}:pulled`]),
  };
}

function oras(run: Runner): Client {
  return {
    name: "oras",
    login: (registry, username, key) =>
      run(["login", "--plain-http", registry, "--username", username, "--password-stdin"], key),
    push: (layout, tag, reference) =>
      run(["cp", "--from-oci-layout", `${layout}:${tag}`, "--to-plain-http", reference]),
    pull: (reference, layout) => run(["cp", "--from-plain-http", reference, "--to-oci-layout", `${layout}:pulled`]),
  };
}
