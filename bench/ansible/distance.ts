import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a port of this machine on which every byte can be made to take its time. */
export interface Distance {
  port: number;
  /** How long (ms) a byte and its answer are on the way. */
  roundTrip: number;
  close(): void;
}

/** @param port where the way ends; at first it takes no time */
export async function startDistance(port: number): Promise<Distance> {
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket) => {
    // Timers of one duration go off in the order they were set.
    const later = (step: () => void) => setTimeout(step, distance.roundTrip / 2);
    from.on("data", (bytes) => later(() => to.write(bytes)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => sockets.delete(from));
    sockets.add(from.setNoDelay());
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    carry(near, far);
    carry(far, near);
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const distance: Distance = {
    port: (server.address() as AddressInfo).port,
    roundTrip: 0,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return distance;
}
