import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { answer, engineAddress, listen, newServer } from "./server";

/** What a program's process ends with after it has told the engine itself what was wrong (@pulumi/pulumi, cmd/run). */
const ALREADY_REPORTED = 32;

/**
 * Stands in for pulumi-language-nodejs: runs an installed program. It does not install dependencies or generate SDKs,
 * and names no required packages: the plugins of a sandbox are all in place.
 */
function main(): void {
  const server = newServer();
  server.addService(LanguageRuntimeService, {
    handshake: answer(() => new proto.LanguageHandshakeResponse()),
    getPluginInfo: answer(() => new PluginInfo().setVersion("3.259.0")),
    getRequiredPackages: answer(() => new proto.GetRequiredPackagesResponse()),
    about: answer(() => new proto.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
    cancel: answer(() => new Empty()),
    run: answer(run),
  });
  listen(server);
}

async function run(request: proto.RunRequest): Promise<proto.RunResponse> {
  const info = request.getInfo();
  const directory = info?.getProgramDirectory() ?? request.getPwd();
  const options = (info?.getOptions()?.toJavaScript() ?? {}) as { typescript?: boolean; nodeargs?: string };
  const runner = createRequire(join(directory, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const child = spawn(
    process.execPath,
    [...(options.nodeargs?.split(" ").filter(Boolean) ?? []), runner, ...runnerArguments(request, directory)],
    { cwd: directory, stdio: ["ignore", "inherit", "inherit"], env: environment(request, options.typescript ?? true) },
  );
  const code = await new Promise<number | null>((settle, fail) => {
    child.once("error", fail);
    child.once("close", settle);
  });
  if (code === ALREADY_REPORTED) return new proto.RunResponse().setBail(true);
  if (code !== 0) return new proto.RunResponse().setError(`Program exited with non-zero exit code: ${code}`);
  return new proto.RunResponse();
}

function runnerArguments(request: proto.RunRequest, directory: string): string[] {
  const named = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress(),
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": request.getInfo()?.getRootDirectory() ?? directory,
    stack: request.getStack(),
    pwd: directory,
    parallel: String(request.getParallel()),
  };
  const flags = Object.entries(named).flatMap(([name, value]) => (value ? [`--${name}`, value] : []));
  if (request.getDryrun()) flags.push("--dry-run");
  return [...flags, request.getInfo()?.getEntryPoint() ?? request.getProgram(), ...request.getArgsList()];
}

/** The program reads its configuration from its environment, keys in their old form, `project:config:key`. */
function environment(request: proto.RunRequest, typescript: boolean): NodeJS.ProcessEnv {
  const config = request
    .getConfigMap()
    .toArray()
    .map(([key, value]: [string, string]) => [key.replace(":", ":config:"), value]);
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
  };
}

main();
