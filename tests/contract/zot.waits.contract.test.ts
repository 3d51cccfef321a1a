import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { BINARIES, Scratch, Zot } from "./zot-harness";
import { withOpenId } from "./zot-issuer";

// What takes zot long takes it long for a reason; the waits run side by side.
describe.concurrent("what zot waits for", () => {
  it.each(BINARIES)(
    "%s waits half a minute for an issuer that hangs, its port closed, and ends with 2",
    async (_, binary) => {
      const scratch = new Scratch();
      const hanging = createServer(() => {});
      await new Promise<void>((done) => hanging.listen(0, "127.0.0.1", done));
      const { port } = hanging.address() as { port: number };
      const began = Date.now();
      const zot = await new Zot(binary, scratch, withOpenId(scratch, `http://127.0.0.1:${port}`)).start();
      expect(zot.exitCode).toBe(2);
      expect(Date.now() - began).toBeGreaterThan(29_000);
      hanging.closeAllConnections();
      hanging.close();
      scratch.remove();
    },
    45_000,
  );

  it.each(BINARIES)(
    "%s waits ten seconds for another process on its root directory, and ends with 1",
    async (_, binary) => {
      const scratch = new Scratch();
      const first = await new Zot(binary, scratch, { storage: {}, http: {} }).start();
      const second = new Zot(binary, scratch, { storage: {}, http: {} }, "second.json");
      const began = Date.now();
      await second.start();
      expect(second.exitCode).toBe(1);
      expect(Date.now() - began).toBeGreaterThan(9_500);
      expect(second.log).toContain("already in use");
      expect(await first.status("/v2/")).toBe(200);
      // A process that was killed holds nothing.
      await first.stop("SIGKILL");
      await second.start();
      expect(second.exitCode).toBeUndefined();
      await second.stop();
      scratch.remove();
    },
    45_000,
  );
});
