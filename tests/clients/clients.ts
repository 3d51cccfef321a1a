import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildOnce, cachedFor } from "../../sandbox/go-build";
import { ensureDebianPackage } from "../../sandbox/tools";

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
  /** @param layout directory of an OCI image layout @param tag of the image or the index in it */
  push(layout: string, tag: string, reference: string): Promise<Run>;
  /** Into an OCI image layout; of an index everything. @param reference with a tag or a digest */
  pull(reference: string, layout: string): Promise<Run>;
  /** Within the registry; what refers to it goes along where the client knows of that. */
  copy(from: string, to: string): Promise<Run>;
  /** Prints the tags of a repository. */
  tags(repository: string): Promise<Run>;
  /** Left out where the client knows of no artifact that refers to another (distribution-spec 1.1, referrers). */
  referrers?: {
    /** @param file in the client's home */
    attach(reference: string, artifactType: string, file: string): Promise<Run>;
    /** Prints them. */
    list(reference: string): Promise<Run>;
  };
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
  const plain = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  const copy = (from: string, to: string) =>
    run(["--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", ...plain, from, to]);
  return {
    name: "skopeo",
    login: (registry, username, key) =>
      run(["login", registry, "--tls-verify=false", "--username", username, "--password-stdin"], key),
    push: (layout, tag, reference) => copy(`oci:${layout}:${tag}`, `docker://${reference}`),
    pull: (reference, layout) => copy(`docker://${reference}`, `oci:${layout}:pulled`),
    copy: (from, to) => copy(`docker://${from}`, `docker://${to}`),
    tags: (repository) => run(["list-tags", "--tls-verify=false", `docker://${repository}`]),
  };
}

function crane(run: Runner): Client {
  return {
    name: "crane",
    login: (registry, username, key) =>
      run(["auth", "login", registry, "--username", username, "--password-stdin"], key),
    push: (layout, _, reference) => run(["push", "--insecure", layout, reference]),
    pull: (reference, layout) => run(["pull", "--insecure", "--format=oci", reference, layout]),
    copy: (from, to) => run(["copy", "--insecure", from, to]),
    tags: (repository) => run(["ls", "--insecure", repository]),
  };
}

function regctl(run: Runner): Client {
  const plain = (reference: string) => ["--host", `reg=${reference.split("/")[0]},tls=disabled`];
  const copy = (from: string, to: string, registry: string) =>
    run(["image", "copy", "--referrers", from, to, ...plain(registry)]);
  return {
    name: "regctl",
    login: (registry, username, key) =>
      run(["registry", "login", registry, "--user", username, "--pass-stdin", ...plain(registry)], key),
    push: (layout, tag, reference) => copy(`ocidir://${layout}:${tag}`, reference, reference),
    pull: (reference, layout) => copy(reference, `ocidir://${layout}:pulled`, reference),
    copy: (from, to) => copy(from, to, to),
    tags: (repository) => run(["tag", "ls", repository, ...plain(repository)]),
    referrers: {
      attach: (reference, artifactType, file) =>
        run([
          "artifact",
          "put",
          "--subject",
          reference,
          "--artifact-type",
          artifactType,
          "-f",
          file,
          ...plain(reference),
        ]),
      list: (reference) => run(["artifact", "list", reference, ...plain(reference)]),
    },
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
    copy: (from, to) => run(["cp", "--recursive", "--from-plain-http", from, "--to-plain-http", to]),
    tags: (repository) => run(["repo", "tags", "--plain-http", repository]),
    referrers: {
      attach: (reference, artifactType, file) =>
        run(["attach", "--plain-http", "--artifact-type", artifactType, reference, file]),
      list: (reference) => run(["discover", "--plain-http", "--format", "json", reference]),
    },
  };
}
