import type { Socket } from 'node:net';
import { Connection } from './connection.ts';

/** How long an unused connection stays open when the destination says nothing about it, in ms. */
const IDLE_MS = 4_000;
/** A connection is given up this long before the destination closes it, in ms. */
const IDLE_EARLY_MS = 2_000;
/** How often unused connections are looked at, in ms. */
const LOOK_MS = 1_000;

/** Who waits for a connection. */
export interface Waiting {
  onConnection(connection: Connection): void;
  onConnectError(error: Error): void;
}

export interface ConnectionsOptions {
  /** Opens a connection to the destination. */
  open(callback: (error: Error | null, socket: Socket | null) => void): void;
  /** Gives up connections that are being opened. */
  stopOpening(): void;
  /** How many may be open at once. */
  readonly most: number;
  /** An older connection is not used again, so that a name that has moved to another address is followed. In ms. */
  readonly maxAgeMs: number;
}

/** The connections to one destination. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open = new Set<Connection>();
  /** The most recently used last. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Waiting>();
  #opening = 0;
  #look: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /**
   * Gives a connection now or later.
   * @param isFresh do not use one that is open already
   */
  take(waiting: Waiting, isFresh = false): void {
    if (this.#isClosed) {
      waiting.onConnectError(new Error('closed'));
      return;
    }
    const idle = isFresh ? undefined : this.#takeIdle();
    if (idle !== undefined) waiting.onConnection(idle);
    else if (this.#open.size + this.#opening < this.#options.most) this.#openFor(waiting);
    else this.#waiting.add(waiting);
  }

  /** Stops waiting. */
  leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** Gives back a connection whose answer was read to its end. */
  release(connection: Connection, keepsOpenMs: number | undefined): void {
    connection.leave();
    connection.isReused = true;
    const next = this.#isOld(connection) ? undefined : this.#takeWaiting();
    if (next !== undefined) {
      next.onConnection(connection);
      return;
    }
    const idleMs = keepsOpenMs === undefined ? IDLE_MS : keepsOpenMs - IDLE_EARLY_MS;
    if (idleMs <= 0 || this.#isOld(connection)) connection.close();
    else this.#keep(connection, idleMs);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#look);
    this.#options.stopOpening();
    for (const connection of [...this.#open]) connection.close();
  }

  #isOld(connection: Connection): boolean {
    return performance.now() - connection.openedAt > this.#options.maxAgeMs;
  }

  #takeIdle(): Connection | undefined {
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || !this.#isOld(connection)) return connection;
      connection.close();
    }
  }

  #keep(connection: Connection, idleMs: number): void {
    connection.idleUntil = performance.now() + idleMs;
    this.#idle.push(connection);
    this.#look ??= setInterval(() => this.#closeIdle(), LOOK_MS).unref();
  }

  #takeWaiting(): Waiting | undefined {
    const [next] = this.#waiting;
    if (next !== undefined) this.#waiting.delete(next);
    return next;
  }

  #openFor(waiting: Waiting): void {
    this.#opening++;
    this.#options.open((error, socket) => {
      this.#opening--;
      if (socket === null) {
        waiting.onConnectError(error ?? new Error('no socket'));
        this.#openNext();
        return;
      }
      const connection = new Connection(socket, (tellUser) => this.#onGone(connection, tellUser));
      this.#open.add(connection);
      if (this.#isClosed) connection.close();
      else waiting.onConnection(connection);
    });
  }

  #onGone(connection: Connection, tellUser: () => void): void {
    this.#open.delete(connection);
    const index = this.#idle.indexOf(connection);
    if (index !== -1) this.#idle.splice(index, 1);
    // Before others may take its place: it may want a new one.
    tellUser();
    this.#openNext();
  }

  #openNext(): void {
    if (this.#isClosed || this.#open.size + this.#opening >= this.#options.most) return;
    const next = this.#takeWaiting();
    if (next !== undefined) this.#openFor(next);
  }

  #closeIdle(): void {
    const now = performance.now();
    for (const connection of [...this.#idle]) if (connection.idleUntil < now) connection.close();
    if (this.#idle.length > 0) return;
    clearInterval(this.#look);
    this.#look = undefined;
  }
}
