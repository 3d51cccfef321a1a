import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Client, openConnections } from "./client";

let server: Server;
afterEach(() => server.close());

/** Closes the connection instead of its first answer. */
async function closesOnce(): Promise<{ client: Client; asked: string[]; end: () => Promise<void> }> {
  const asked: string[] = [];
  server = createServer(({ method, socket }, response) => {
    asked.push(method as string);
    if (asked.length === 1) socket.destroy();
    else response.end("answered");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const connections = openConnections();
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections);
  return { client, asked, end: () => connections.close() };
}

it("asks again what a server closed the connection on, as it may with one that was kept", async () => {
  const { asked, client, end } = await closesOnce();
  const { status, text } = await client.ask("GET", "/");
  expect([status, text]).toEqual([200, "answered"]);
  expect(asked).toEqual(["GET", "GET"]);
  await end();
});

it("sends nothing twice that may have been done", async () => {
  const { asked, client, end } = await closesOnce();
  await expect(client.ask("POST", "/")).rejects.toThrow(/^http:\S+ does not answer \(UND_ERR_SOCKET\)$/);
  expect(asked).toEqual(["POST"]);
  await end();
});

it("sends nothing to another server, whatever the registry says", async () => {
  const { asked, client, end } = await closesOnce();
  const away = "http://127.0.0.1:9/v2/x/blobs/uploads/1";
  await expect(client.ask("PUT", away, { as: { username: "zot-ci", apiKey: "zak_secret" } })).rejects.toThrow(
    `${client.base} sends its clients on to http://127.0.0.1:9, where nothing was sent`,
  );
  expect(asked).toEqual([]);
  await end();
});
