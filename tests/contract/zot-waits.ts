import { createServer } from "node:http";
import { Scratch, Zot } from "./zot-harness";
import { withOpenId } from "./zot-issuer";

/** How a start ended that had to wait. */
export interface Wait {
  exitCode: number | null | undefined;
  log: string;
  ms: number;
}

async function measure(zot: Zot): Promise<Wait> {
  const began = Date.now();
  await zot.start();
  return { exitCode: zot.exitCode, log: zot.log, ms: Date.now() - began };
}

/** A start whose issuer takes the connection and never answers. */
export async function hangingIssuer(binary: string): Promise<Wait> {
  const scratch = new Scratch();
  const hanging = createServer(() => {});
  await new Promise<void>((done) => hanging.listen(0, "127.0.0.1", done));
  const { port } = hanging.address() as { port: number };
  try {
    return await measure(new Zot(binary, scratch, withOpenId(scratch, `http://127.0.0.1:${port}`)));
  } finally {
    hanging.closeAllConnections();
    hanging.close();
    scratch.remove();
  }
}

/** A start on the root directory of a running registry, and one after that registry was killed. */
export async function sharedRoot(binary: string): Promise<{ beside: Wait; firstStatus: number; after: Wait }> {
  const scratch = new Scratch();
  const first = await new Zot(binary, scratch, { storage: {}, http: {} }).start();
  const second = new Zot(binary, scratch, { storage: {}, http: {} }, "second.json");
  try {
    const beside = await measure(second);
    const firstStatus = await first.status("/v2/");
    await first.stop("SIGKILL");
    return { beside, firstStatus, after: await measure(second) };
  } finally {
    await first.stop("SIGKILL");
    await second.stop();
    scratch.remove();
  }
}
