import { randomBytes } from "node:crypto";
import { posix } from "node:path";
import type { Client, SFTPWrapper } from "ssh2";
import { connected, MIDWAY, nameOf } from "../../host/ssh";
import { OperatorError } from "../../operator/error";
import type { FileDestination } from "../../settings/publish";
import { dockerConfigJson, type HandOver } from "../handover";
import type { Publisher } from "./publisher";

/**
 * A file on a host, written over SFTP, so that no shell there has a say: 0600, complete or not at all. A docker config keeps
 * the other logins it holds.
 */
export function file(destination: FileDestination): Publisher {
  const { path } = destination;
  const login = { ...destination, setting: "publish.file" };
  const change = (next: (now: string | undefined) => string | undefined) =>
    connected(
      login,
      async (client) => {
        const remote = await RemoteFile.open(client, path, nameOf(login));
        const now = await remote.read();
        const content = next(now);
        if (content === undefined) await remote.remove();
        else if (content !== now || !(await remote.isPrivate())) await remote.replace(content);
        return [path];
      },
      MIDWAY,
    );
  const { add, remove } = destination.content === "apiKey" ? bareKey : dockerConfig(`${nameOf(login)}: ${path}`);
  return {
    publish: (handover) => change((now) => add(now, handover)),
    withdraw: (handover) => change((now) => remove(now, handover)),
  };
}

/** How content is changed; undefined is a file that is not there. */
interface Format {
  add(now: string | undefined, handover: HandOver): string;
  /** Leaves alone what somebody else has put there meanwhile. */
  remove(now: string | undefined, handover: HandOver): string | undefined;
}

const bareKey: Format = {
  add: (_, { apiKey }) => `${apiKey}\n`,
  remove: (now, { apiKey }) => (now?.trim() === apiKey ? undefined : now),
};

interface DockerConfig {
  auths?: Record<string, { auth?: string }>;
  credsStore?: string;
}

function dockerConfig(where: string): Format {
  return {
    add: (now, handover) => {
      const config = readDockerConfig(now, where);
      if (config.credsStore) {
        throw new OperatorError(
          `${where} keeps its logins in a credential store (credsStore), so that docker would not look at one in the file: name another path, and point DOCKER_CONFIG at its directory`,
        );
      }
      return write({
        ...config,
        auths: { ...config.auths, ...readDockerConfig(dockerConfigJson(handover), where).auths },
      });
    },
    remove: (now, handover) => {
      if (now === undefined) return undefined;
      const { auths = {}, ...others } = readDockerConfig(now, where);
      const ours = JSON.parse(dockerConfigJson(handover)).auths[handover.registry].auth;
      if (auths[handover.registry]?.auth !== ours) return now;
      const { [handover.registry]: _, ...left } = auths;
      const empty = Object.keys(left).length === 0 && Object.keys(others).length === 0;
      return empty ? undefined : write({ ...others, auths: left });
    },
  };
}

const write = (config: DockerConfig) => `${JSON.stringify(config, null, 2)}\n`;

function readDockerConfig(text: string | undefined, where: string): DockerConfig {
  if (text === undefined || text.trim() === "") return {};
  try {
    const config = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return config;
  } catch {
    // Said below; the parser's own words would quote the file.
  }
  throw new OperatorError(`${where} is no docker config (a JSON object) and was left as it is: name another path`);
}

const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;

/** One file over SFTP (version 3, with OpenSSH's posix-rename). */
class RemoteFile {
  private constructor(
    private readonly sftp: SFTPWrapper,
    private readonly path: string,
    private readonly host: string,
  ) {}

  static async open(client: Client, path: string, host: string): Promise<RemoteFile> {
    return new Promise((settle, fail) => {
      client.sftp((error, sftp) => {
        if (!error) return settle(new RemoteFile(sftp, path, host));
        fail(new OperatorError(`${host} has no SFTP: its sshd_config needs "Subsystem sftp internal-sftp"`));
      });
    });
  }

  /** undefined when there is none */
  async read(): Promise<string | undefined> {
    const content = await this.ask<Buffer>((done) => this.sftp.readFile(this.path, done), [NO_SUCH_FILE]);
    return content?.toString("utf8");
  }

  async isPrivate(): Promise<boolean> {
    const stats = await this.ask<{ mode: number }>((done) => this.sftp.lstat(this.path, done), [NO_SUCH_FILE]);
    return stats !== undefined && (stats.mode & 0o777) === 0o600;
  }

  /** A rename within the directory: whoever reads finds the old file or the new one. */
  async replace(content: string): Promise<void> {
    const { sftp, path } = this;
    const unfinished = `${path}.new-${randomBytes(6).toString("hex")}`;
    try {
      await this.ask<void>((done) => sftp.writeFile(unfinished, content, { flag: "wx", mode: 0o600 }, done));
      await this.ask<void>((done) => sftp.ext_openssh_rename(unfinished, path, done));
    } catch (error) {
      await this.ask<void>((done) => sftp.unlink(unfinished, done)).catch(() => {});
      throw error;
    }
  }

  async remove(): Promise<void> {
    await this.ask<void>((done) => this.sftp.unlink(this.path, done), [NO_SUCH_FILE]);
  }

  /** @returns undefined for one of the accepted failures */
  private ask<Answer>(
    call: (done: (error?: Error | null, answer?: Answer) => void) => void,
    accepted: number[] = [],
  ): Promise<Answer | undefined> {
    return new Promise((settle, fail) => {
      call((error, answer) => {
        const code = (error as { code?: number } | undefined)?.code;
        if (!error || accepted.includes(code ?? -1)) return settle(answer);
        fail(new OperatorError(`${this.host}: ${this.path} cannot be written: ${this.explain(error, code)}`));
      });
    });
  }

  private explain(error: Error, code: number | undefined): string {
    const directory = posix.dirname(this.path);
    if (code === NO_SUCH_FILE) return `there is no directory ${directory}; make it, for its owner alone (0700)`;
    if (code === PERMISSION_DENIED) return `that user may not write in ${directory}`;
    return error.message;
  }
}
