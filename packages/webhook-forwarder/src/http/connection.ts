import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AnswerReader } from './read-answer.ts';

/** A large body is written in pieces, so that an early answer is seen before all of it was sent. */
const PIECE_BYTES = 128 * 1024;
/** How long an answer may be on its way after a write has failed, in ms. */
const AFTER_FAILED_WRITE_MS = 1_000;

/** Who sends a request on a connection and reads its answer. */
export interface ConnectionUser {
  /** More of the answer has come. */
  onAnswer(): void;
  /** All of the request has been handed to the operating system. */
  onSent(): void;
  /** The connection is gone. The answer holds what came of it. */
  onGone(error: Error | undefined): void;
}

/** One connection. It carries one request and its answer at a time. */
export class Connection {
  readonly openedAt = performance.now();
  /** Whether it has carried an answer before. */
  isReused = false;
  /** When to close it, if nobody uses it until then. */
  idleUntil = 0;
  readonly isSecure: boolean;
  /** Whether all of the request has been handed to the operating system. */
  isSent = false;
  readonly #socket: Socket;
  readonly #onGone: (tellUser: () => void) => void;
  #user: ConnectionUser | undefined;
  #answer = new AnswerReader();
  #isGone = false;
  #error: Error | undefined;
  #giveUp: NodeJS.Timeout | undefined;

  /** @param onGone called once, when the connection has been closed by either side; it has to call `tellUser` */
  constructor(socket: Socket, onGone: (tellUser: () => void) => void) {
    this.#socket = socket;
    this.#onGone = onGone;
    this.isSecure = socket instanceof TLSSocket;
    this.#keepReadingAfterFailedWrite();
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('end', () => this.close());
    socket.on('close', () => this.#gone());
    // Who opened it may have paused it.
    socket.resume();
  }

  /** @returns the answer, of which nothing has come yet */
  send(head: string, body: string | Buffer, user: ConnectionUser): AnswerReader {
    this.#user = user;
    this.isSent = false;
    this.#answer = new AnswerReader();
    if (typeof body === 'string') this.#socket.write(head + body, () => this.#onWritten(user));
    else this.#socket.write(head, () => this.#writeLarge(body, user));
    return this.#answer;
  }

  /** Ends the exchange: what comes from now on was not asked for. */
  leave(): void {
    this.#user = undefined;
  }

  close(): void {
    this.#socket.destroy();
    this.#gone();
  }

  #writeLarge(rest: Buffer, user: ConnectionUser): void {
    if (this.#user !== user || this.#error !== undefined) return;
    const then = rest.subarray(PIECE_BYTES);
    this.#socket.write(rest.subarray(0, PIECE_BYTES), () =>
      then.length > 0 ? this.#writeLarge(then, user) : this.#onWritten(user),
    );
  }

  #onWritten(user: ConnectionUser): void {
    if (this.#user !== user || this.#error !== undefined) return;
    this.isSent = true;
    user.onSent();
  }

  #read(bytes: Buffer): void {
    const user = this.#user;
    if (user === undefined) {
      this.close();
      return;
    }
    this.#answer.read(bytes);
    user.onAnswer();
  }

  /**
   * Node destroys a socket when a write fails, together with an answer that has come and was not read yet: that of a
   * destination that answers early and closes. So the socket does not learn of it, and reads on to the end.
   */
  #keepReadingAfterFailedWrite(): void {
    const socket = this.#socket;
    type Done = (error?: Error | null) => void;
    const told =
      (done: Done): Done =>
      (error) => {
        if (error) this.#onFailedWrite(error);
        done();
      };
    const { _write: write, _writev: writeMany } = socket;
    socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, told(done));
    if (writeMany) socket._writev = (chunks, done) => writeMany.call(socket, chunks, told(done));
  }

  #onFailedWrite(error: Error): void {
    this.#error ??= error;
    // A process that stood still that long has an answer to read first.
    this.#giveUp ??= setTimeout(() => setImmediate(() => this.close()), AFTER_FAILED_WRITE_MS);
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#giveUp);
    const user = this.#user;
    this.#user = undefined;
    this.#answer.end();
    this.#onGone(() => user?.onGone(this.#error));
  }
}
