import { Buffer } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandSplitter, createCommandSplitter } from './resp-commands.ts';

/** Where the connection breaks, seen from one command. */
export type CutMoment =
  /** Redis never sees the command. */
  | 'before'
  /** Redis sees half of its bytes. */
  | 'inside'
  /** Redis carries it out; the client gets no answer. */
  | 'after'
  /** Nothing breaks: Redis answers this one command with an error instead of carrying it out, and goes on. */
  | 'refused';

export interface Cut {
  /** Which command from now on, over all connections, counted from 1. */
  readonly command: number;
  readonly moment: CutMoment;
  /** Count only commands of these names: `['EVALSHA', 'EVAL']`. @default all */
  readonly names?: readonly string[];
  /**
   * All other connections break as well, and later ones are refused until `heal`; not with `refused`. @default false
   */
  readonly refuse?: boolean;
}

/** What goes wrong at the moment; all connections share it. */
export interface Faults {
  readonly targetPort: number;
  readonly connections: Set<Connection>;
  refusing: boolean;
  frozen: boolean;
  delayMs: number;
  /** Names of the commands passed on. */
  commands: string[];
  /** The cut that has not happened yet. */
  armed: { readonly cut: Cut; counted: number; readonly state: { happened: boolean } } | undefined;
}

export interface Connection {
  readonly near: Socket;
  readonly far: Socket;
  readonly splitter: CommandSplitter;
  withholds: boolean;
  /** Its last command was passed on: it ends as soon as Redis has carried that out. */
  ending: boolean;
  /** The beginning of a command that may be the one to be refused. */
  held: Buffer;
}

/** Redis answers an unknown command with an error, in its place among the other answers. */
const UNKNOWN = Buffer.from('*1\r\n$7\r\nREFUSED\r\n');
const NOTHING = Buffer.alloc(0);

/** How much of the command that is cut reaches Redis. */
const SHARE_SENT = { before: 0, inside: 0.5, after: 1 } as const;

/** Connects a client to Redis, and breaks the connection as told. */
export const serveConnection = (faults: Faults, near: Socket): void => {
  if (faults.refusing) {
    near.on('error', () => {});
    near.resetAndDestroy();
    return;
  }
  const far = connect({ port: faults.targetPort, host: '127.0.0.1', noDelay: true });
  const splitter = createCommandSplitter();
  const connection: Connection = { near, far, splitter, withholds: false, ending: false, held: NOTHING };
  faults.connections.add(connection);

  pipe(faults, near, (chunk) => passCommands(faults, connection, chunk));
  pipe(faults, far, (chunk) => {
    if (!connection.withholds && !near.destroyed) near.write(chunk);
  });

  for (const socket of [near, far]) {
    socket.on('error', () => {});
    socket.on('close', () => {
      faults.connections.delete(connection);
      breakOff(connection);
    });
    if (faults.frozen) socket.pause();
  }
};

export const breakOff = ({ near, far }: Connection): void => {
  near.resetAndDestroy();
  far.destroy();
};

/** Passes on what was held back to be refused. */
export const passHeld = ({ connections }: Faults): void => {
  for (const connection of connections) {
    const { held } = connection;
    connection.held = NOTHING;
    pass(connection, held);
  }
};

/** Passes data on in order, each piece after the delay in force when it came. */
const pipe = (faults: Faults, from: Socket, passOn: (chunk: Buffer) => void): void => {
  let last: Promise<void> = Promise.resolve();
  let delayed = 0;
  from.on('data', (chunk: Buffer) => {
    if (faults.delayMs === 0 && delayed === 0) {
      passOn(chunk);
      return;
    }
    const dueAt = performance.now() + faults.delayMs;
    delayed++;
    last = last
      .then(() => sleep(Math.max(dueAt - performance.now(), 0)))
      .then(() => {
        delayed--;
        passOn(chunk);
      });
  });
};

const pass = ({ far }: Connection, bytes: Buffer): void => {
  if (!far.destroyed && bytes.length > 0) far.write(bytes);
};

const passCommands = (faults: Faults, connection: Connection, chunk: Buffer): void => {
  if (connection.ending) return;
  if (faults.armed === undefined) {
    // Commands are counted even now: one may begin before a cut is armed and end after.
    for (const { name } of connection.splitter.push(chunk)) faults.commands.push(name);
    pass(connection, chunk);
  } else if (faults.armed.cut.moment === 'refused') passOrRefuse(faults, connection, chunk);
  else passOrCut(faults, connection, chunk, SHARE_SENT[faults.armed.cut.moment]);
};

/** Counts a command. Returns whether it is the one to break, which disarms the cut. */
const isCutHere = (faults: Faults, name: string): boolean => {
  const { armed } = faults;
  if (armed === undefined || !(armed.cut.names?.includes(name) ?? true)) return false;
  if (++armed.counted !== armed.cut.command) return false;
  armed.state.happened = true;
  faults.armed = undefined;
  return true;
};

/** Passes data on up to the command that is cut, and its share of that one. */
const passOrCut = (faults: Faults, connection: Connection, chunk: Buffer, share: number): void => {
  const { splitter, far } = connection;
  const refusesAfter = faults.armed?.cut.refuse ?? false;
  /** Bytes of the first command that came with earlier chunks, and were passed on. */
  const before = splitter.pendingBytes;
  let passed = 0;
  for (const { name, end } of splitter.push(chunk)) {
    faults.commands.push(name);
    const until = end - before;
    if (isCutHere(faults, name)) {
      connection.ending = true;
      connection.withholds = true;
      if (refusesAfter) {
        faults.refusing = true;
        for (const other of faults.connections) if (other !== connection) breakOff(other);
      }
      // Redis carries out what it was sent before it sees the end; when it has closed, so do we.
      far.end(chunk.subarray(0, passed + Math.ceil((until - passed) * share)));
      return;
    }
    passed = until;
  }
  pass(connection, chunk);
};

/** Passes on whole commands only, so that the one to be refused can be replaced. */
const passOrRefuse = (faults: Faults, connection: Connection, chunk: Buffer): void => {
  const { splitter, held } = connection;
  /** Bytes of a command that Redis was already being sent when the cut was armed: it does not count. */
  const underWay = splitter.pendingBytes - held.length;
  const bytes = Buffer.concat([held, chunk]);
  const found = splitter.push(chunk);
  if (found.length === 0 && underWay > 0) {
    pass(connection, chunk);
    return;
  }
  let passed = 0;
  for (const [index, { name, end }] of found.entries()) {
    faults.commands.push(name);
    const until = end - underWay;
    const counts = index > 0 || underWay === 0;
    if (counts && isCutHere(faults, name)) {
      pass(connection, bytes.subarray(0, passed));
      pass(connection, UNKNOWN);
      connection.held = bytes.subarray(until);
      passHeld(faults);
      return;
    }
    passed = until;
  }
  pass(connection, bytes.subarray(0, passed));
  connection.held = bytes.subarray(passed);
};
