import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCommandSplitter } from './resp-commands.ts';

/** Where the connection breaks, seen from one command. */
export type CutMoment =
  /** Redis never sees the command. */
  | 'before'
  /** Redis sees half of its bytes. */
  | 'inside'
  /** Redis carries it out; whoever sent it gets no answer. */
  | 'after'
  /** Nothing breaks: Redis answers this one command with an error instead of carrying it out, and goes on. */
  | 'refused';

export interface Cut {
  /** The how manieth command from now on, over all connections, counted from 1. */
  readonly command: number;
  readonly moment: CutMoment;
  /** Count only commands of these names: `['EVALSHA', 'EVAL']`. @default all */
  readonly names?: readonly string[];
  /** All other connections break as well, and later ones are refused until `heal`; not with `refused`. @default false */
  readonly refuse?: boolean;
}

export interface FaultProxy {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;
  /** Names of the commands passed on since the last `cutAt`, in order, over all connections. */
  readonly commands: readonly string[];
  /** Breaks one connection at one command. @returns whether it has happened. */
  cutAt(cut: Cut): { readonly happened: boolean };
  /** Breaks all connections of now; later ones are served. */
  cut(): void;
  /** Breaks all connections, and each that is opened until `heal`. */
  refuse(): void;
  /** Nothing passes in either direction until `heal`; what was sent meanwhile passes then. */
  freeze(): void;
  /** What the other side answers on the connections of now is thrown away, for ever; later connections are served. */
  withholdReplies(): void;
  /** Each piece of data is passed on this much later, in both directions. `0` ends it. */
  delay(ms: number): void;
  /** Ends `refuse`, `freeze`, `delay` and a cut that has not happened. */
  heal(): void;
  close(): Promise<void>;
}

interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  withholds: boolean;
  /** Its last command was passed on: it ends as soon as Redis has carried that out. */
  ending: boolean;
  /** The beginning of a command that may be the one to be refused. */
  held: Buffer;
}

/** Redis answers what it does not know with an error, in its place among the other answers. */
const UNKNOWN = Buffer.from('*1\r\n$7\r\nREFUSED\r\n');
const NOTHING = Buffer.alloc(0);

/** A TCP proxy in front of a Redis on 127.0.0.1 that breaks on demand, as networks do. Starts healthy. */
export const startFaultProxy = async (targetPort: number): Promise<FaultProxy> => {
  const connections = new Set<Connection>();
  let refusing = false;
  let frozen = false;
  let delayMs = 0;
  let commands: string[] = [];
  let armed: { cut: Cut; counted: number; state: { happened: boolean } } | undefined;

  const breakOff = ({ near, far }: Connection): void => {
    near.resetAndDestroy();
    far.destroy();
  };

  /** What was held back is passed on after all. */
  const passHeld = (): void => {
    for (const connection of connections) {
      const { far, held } = connection;
      connection.held = NOTHING;
      if (!far.destroyed && held.length > 0) far.write(held);
    }
  };

  /** Passes data on in order, each piece after the delay that held when it came. */
  const pipe = (from: Socket, pass: (chunk: Buffer) => void): void => {
    let last: Promise<void> = Promise.resolve();
    let delayed = 0;
    from.on('data', (chunk: Buffer) => {
      if (delayMs === 0 && delayed === 0) {
        pass(chunk);
        return;
      }
      const dueAt = performance.now() + delayMs;
      delayed++;
      last = last
        .then(() => sleep(Math.max(dueAt - performance.now(), 0)))
        .then(() => {
          delayed--;
          pass(chunk);
        });
    });
  };

  const server = createServer({ noDelay: true }, (near) => {
    if (refusing) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    const connection: Connection = { near, far, withholds: false, ending: false, held: NOTHING };
    connections.add(connection);
    const splitter = createCommandSplitter();

    const pass = (bytes: Buffer): void => {
      if (!far.destroyed && bytes.length > 0) far.write(bytes);
    };
    /** Passes commands on only when they are whole: the one that is counted out is replaced. */
    const refuseOne = (chunk: Buffer): void => {
      /** A command that had begun before is under way to Redis already: it is none of those that count. */
      let underWay = splitter.pendingBytes - connection.held.length;
      const bytes = Buffer.concat([connection.held, chunk]);
      const found = splitter.push(chunk);
      if (found.length === 0 && underWay > 0) {
        pass(chunk);
        return;
      }
      let passed = 0;
      const offset = underWay;
      for (const { name, end } of found) {
        commands.push(name);
        const until = end - offset;
        const counts = armed !== undefined && underWay === 0 && (armed.cut.names?.includes(name) ?? true);
        underWay = 0;
        if (armed !== undefined && counts && ++armed.counted === armed.cut.command) {
          armed.state.happened = true;
          armed = undefined;
          pass(bytes.subarray(0, passed));
          pass(UNKNOWN);
          connection.held = bytes.subarray(until);
          passHeld();
          return;
        }
        passed = until;
      }
      pass(bytes.subarray(0, passed));
      connection.held = bytes.subarray(passed);
    };

    pipe(near, (chunk) => {
      if (connection.ending) return;
      if (armed === undefined) {
        // Also counted, cheaply: a command may begin now and end after a cut was armed.
        for (const { name } of splitter.push(chunk)) commands.push(name);
        if (!far.destroyed) far.write(chunk);
        return;
      }
      if (armed.cut.moment === 'refused') {
        refuseOne(chunk);
        return;
      }
      /** Bytes of the first command that came with earlier chunks, and were passed on. */
      const before = splitter.pendingBytes;
      let passed = 0;
      for (const { name, end } of splitter.push(chunk)) {
        commands.push(name);
        const { cut, state } = armed;
        const until = end - before;
        if ((cut.names === undefined || cut.names.includes(name)) && ++armed.counted === cut.command) {
          armed = undefined;
          state.happened = true;
          connection.ending = true;
          connection.withholds = true;
          if (cut.refuse) {
            refusing = true;
            for (const other of connections) if (other !== connection) breakOff(other);
          }
          const share = { before: 0, inside: 0.5, after: 1, refused: 0 }[cut.moment];
          // Redis carries out what it has been sent before it sees the end; when it has closed, so do we.
          far.end(chunk.subarray(0, passed + Math.ceil((until - passed) * share)));
          return;
        }
        passed = until;
      }
      if (!far.destroyed) far.write(chunk);
    });
    pipe(far, (chunk) => {
      if (!connection.withholds && !near.destroyed) near.write(chunk);
    });

    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        connections.delete(connection);
        breakOff(connection);
      });
      if (frozen) socket.pause();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get commands() {
      return commands;
    },
    cutAt: (cut) => {
      const state = { happened: false };
      passHeld();
      armed = { cut, counted: 0, state };
      commands = [];
      return state;
    },
    cut: () => {
      for (const connection of connections) breakOff(connection);
    },
    refuse: () => {
      refusing = true;
      for (const connection of connections) breakOff(connection);
    },
    freeze: () => {
      frozen = true;
      for (const { near, far } of connections) {
        near.pause();
        far.pause();
      }
    },
    withholdReplies: () => {
      for (const connection of connections) connection.withholds = true;
    },
    delay: (ms) => {
      delayMs = ms;
    },
    heal: () => {
      armed = undefined;
      passHeld();
      refusing = false;
      delayMs = 0;
      if (!frozen) return;
      frozen = false;
      for (const { near, far } of connections) {
        near.resume();
        far.resume();
      }
    },
    close: async () => {
      for (const connection of connections) breakOff(connection);
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
};
