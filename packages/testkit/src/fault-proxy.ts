import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { breakOff, type Cut, type Faults, passHeld, serveConnection } from './fault-connection.ts';

export interface FaultProxy {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** Names of the commands passed on since the last `cutAt`, in order, over all connections. */
  readonly commands: readonly string[];
  /** Breaks one connection at one command. @returns whether that has happened */
  cutAt(cut: Cut): { readonly happened: boolean };
  /** Breaks all present connections; later ones are served. */
  cut(): void;
  /** Breaks all connections, and refuses new ones until `heal`. */
  refuse(): void;
  /** Holds back all data in both directions until `heal`. */
  freeze(): void;
  /** Throws away all further replies on the present connections; later connections are served. */
  withholdReplies(): void;
  /** Delays each piece of data by this much, in both directions. `0` ends it. */
  delay(ms: number): void;
  /** Ends `refuse`, `freeze`, `delay` and a cut that has not happened. */
  heal(): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of a Redis on 127.0.0.1 that breaks on demand, as networks do. Starts healthy. */
export const startFaultProxy = async (targetPort: number): Promise<FaultProxy> => {
  const faults: Faults = {
    targetPort,
    connections: new Set(),
    refusing: false,
    frozen: false,
    delayMs: 0,
    commands: [],
    armed: undefined,
  };
  const server = createServer({ noDelay: true }, (near) => serveConnection(faults, near)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get commands() {
      return faults.commands;
    },
    cutAt: (cut) => {
      const state = { happened: false };
      passHeld(faults);
      faults.armed = { cut, counted: 0, state };
      faults.commands = [];
      return state;
    },
    cut: () => {
      for (const connection of faults.connections) breakOff(connection);
    },
    refuse: () => {
      faults.refusing = true;
      for (const connection of faults.connections) breakOff(connection);
    },
    freeze: () => {
      faults.frozen = true;
      for (const { near, far } of faults.connections) {
        near.pause();
        far.pause();
      }
    },
    withholdReplies: () => {
      for (const connection of faults.connections) connection.withholds = true;
    },
    delay: (ms) => {
      faults.delayMs = ms;
    },
    heal: () => {
      faults.armed = undefined;
      passHeld(faults);
      faults.refusing = false;
      faults.delayMs = 0;
      if (!faults.frozen) return;
      faults.frozen = false;
      for (const { near, far } of faults.connections) {
        near.resume();
        far.resume();
      }
    },
    close: async () => {
      for (const connection of faults.connections) breakOff(connection);
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
};
