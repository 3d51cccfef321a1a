import { type AddressInfo, connect, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { startDistance } from "./distance";

it("carries every byte in order, no sooner than the round trip", async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await new Promise((listening) => echo.once("listening", listening));
  const distance = await startDistance((echo.address() as AddressInfo).port);
  const said = Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join("");
  const exchange = async () => {
    const began = performance.now();
    const client = connect({ port: distance.port, host: "127.0.0.1", allowHalfOpen: true });
    client.end(said);
    expect(await text(client)).toBe(said);
    return performance.now() - began;
  };
  try {
    await exchange();
    distance.roundTrip = 200;
    expect(await exchange()).toBeGreaterThanOrEqual(199);
  } finally {
    distance.close();
    echo.close();
  }
});
