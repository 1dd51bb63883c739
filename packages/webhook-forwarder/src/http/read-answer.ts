import { MAX_RESPONSE_BYTES } from '@clickrelay/core';

/** Of a longer line only this much is kept. */
const MAX_LINE_LENGTH = 8 * 1024;
/** When the lines of an answer are longer together, the rest of it is not read. */
const MAX_LINES_BYTES = 1024 * 1024;

const LF = 10;
const STATUS_LINE = /^HTTP\/(\d(?:\.\d)?)[ \t]+(\d{3})(?:[ \t]|$)/;
/** RFC 9110, section 5.6.2 and 5.5. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const CHUNK_SIZE = /^([0-9a-f]{1,12})[ \t]*(?:;|$)/i;

type Part =
  | 'status line'
  | 'headers of an interim answer'
  | 'headers'
  | 'size of a chunk'
  | 'end of a chunk'
  | 'trailers'
  // The parts that are not lines.
  | 'chunk'
  | 'body of a length'
  | 'body until the end'
  | 'nothing';

/**
 * Reads one answer from the pieces in which it comes. The status line is all that it needs; whatever follows may break
 * any rule of HTTP. Such an answer is not `isRegular`, and its connection carries no other: nobody can say where the
 * next one would begin.
 */
export class AnswerReader {
  /** 0 until the status line has come. */
  status = 0;
  /** Whether any byte has come. */
  hasBegun = false;
  /** Whether all headers have come. */
  hasHead = false;
  /** Whether nothing more is read. */
  hasEnded = false;
  /** Whether it is exactly as HTTP/1.1 says, and ended before the connection. */
  isRegular = true;
  /** Whether the destination keeps the connection open. */
  keepsOpen = true;
  /** How long it keeps the connection open, in ms, if it says so. */
  keepsOpenMs: number | undefined;
  retryAfter: string | string[] | undefined;
  #part: Part = 'status line';
  #line = '';
  #linesBytes = 0;
  #left = 0;
  readonly #lengths: string[] = [];
  readonly #codings: string[] = [];
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;

  /** Whether what came is no answer: not HTTP, or a switch to another protocol. */
  get isNone(): boolean {
    return this.hasEnded && this.status === 0;
  }

  /** Whether as much of the body has come as is kept. */
  get isFull(): boolean {
    return this.#bodyBytes > MAX_RESPONSE_BYTES;
  }

  /** The first 16 KB of the body. */
  get body(): string {
    if (this.#body.length === 0) return '';
    return Buffer.concat(this.#body).toString('utf8', 0, MAX_RESPONSE_BYTES);
  }

  read(bytes: Buffer): void {
    this.hasBegun = true;
    let at = 0;
    while (at < bytes.length && !this.hasEnded) {
      switch (this.#part) {
        case 'chunk':
        case 'body of a length':
        case 'body until the end':
          at = this.#readBody(bytes, at);
          break;
        default:
          at = this.#readLine(bytes, at);
      }
    }
    // Nobody asked for more.
    if (at < bytes.length) this.isRegular = false;
  }

  /** The connection has ended. */
  end(): void {
    if (this.hasEnded) return;
    this.isRegular = false;
    if (this.#part === 'status line' && STATUS_LINE.test(this.#line)) this.#takeStatusLine(this.#line.trimEnd());
    this.#end();
  }

  #end(): void {
    this.hasEnded = true;
    this.#part = 'nothing';
  }

  /** Ends an answer that breaks a rule so that its end cannot be found. */
  #giveUp(): void {
    this.isRegular = false;
    this.#end();
  }

  /** @returns where to go on */
  #readLine(bytes: Buffer, at: number): number {
    const found = bytes.indexOf(LF, at);
    const end = found === -1 ? bytes.length : found;
    this.#linesBytes += end - at;
    if (this.#linesBytes > MAX_LINES_BYTES) {
      this.#giveUp();
      return end;
    }
    this.#line += bytes.toString('latin1', at, Math.min(end, at + MAX_LINE_LENGTH - this.#line.length));
    if (found === -1) return end;
    const isCrLf = this.#line.endsWith('\r');
    if (!isCrLf) this.isRegular = false;
    const line = isCrLf ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#takeLine(line);
    return end + 1;
  }

  #takeLine(line: string): void {
    switch (this.#part) {
      case 'status line':
        if (line !== '') this.#takeStatusLine(line);
        return;
      case 'headers of an interim answer':
        if (line === '') this.#part = 'status line';
        return;
      case 'headers':
        if (line === '') this.#takeEndOfHead();
        else this.#takeHeader(line);
        return;
      case 'size of a chunk':
        this.#takeChunkSize(line);
        return;
      case 'end of a chunk':
        if (line === '') this.#part = 'size of a chunk';
        else this.#giveUp();
        return;
      default:
        if (line === '') this.#end();
    }
  }

  #takeStatusLine(line: string): void {
    const [, version, digits] = STATUS_LINE.exec(line) ?? [];
    const status = Number(digits ?? 0);
    if (status < 100 || status === 101) this.#giveUp();
    else if (status < 200) this.#part = 'headers of an interim answer';
    else {
      this.status = status;
      this.#part = 'headers';
      if (version !== '1.1') this.keepsOpen = false;
    }
  }

  #takeHeader(line: string): void {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    if (!NAME.test(name) || !VALUE.test(value)) this.isRegular = false;
    switch (name.trim().toLowerCase()) {
      case 'content-length':
        this.#lengths.push(...value.split(',').map((one) => one.trim()));
        return;
      case 'transfer-encoding':
        this.#codings.push(value.toLowerCase());
        return;
      case 'connection':
        if (/\bclose\b/i.test(value)) this.keepsOpen = false;
        return;
      case 'keep-alive': {
        const [, seconds] = /\btimeout=(\d{1,6})\b/i.exec(value) ?? [];
        if (seconds !== undefined) this.keepsOpenMs = Number(seconds) * 1000;
        return;
      }
      case 'retry-after':
        this.retryAfter = this.retryAfter === undefined ? value : [this.retryAfter, value].flat();
    }
  }

  /** RFC 9112, section 6.3. */
  #takeEndOfHead(): void {
    this.hasHead = true;
    const [length, ...others] = this.#lengths;
    if (this.status === 204 || this.status === 304) {
      this.#end();
      return;
    }
    if (this.#codings.length > 0) {
      const isChunked = this.#codings.at(-1)?.endsWith('chunked') === true;
      if (length !== undefined || this.#codings.join() !== 'chunked') this.isRegular = false;
      this.#part = isChunked ? 'size of a chunk' : 'body until the end';
      return;
    }
    const isLength = length !== undefined && /^\d{1,15}$/.test(length) && others.every((one) => one === length);
    if (!isLength || others.length > 0) this.isRegular = false;
    if (!isLength) {
      this.#part = 'body until the end';
      return;
    }
    this.#left = Number(length);
    this.#part = 'body of a length';
    if (this.#left === 0) this.#end();
  }

  #takeChunkSize(line: string): void {
    const [, size] = CHUNK_SIZE.exec(line) ?? [];
    if (size === undefined) {
      this.#giveUp();
      return;
    }
    this.#left = Number.parseInt(size, 16);
    this.#part = this.#left === 0 ? 'trailers' : 'chunk';
  }

  /** @returns where to go on */
  #readBody(bytes: Buffer, at: number): number {
    const end = this.#part === 'body until the end' ? bytes.length : Math.min(bytes.length, at + this.#left);
    if (!this.isFull) {
      const piece = bytes.subarray(at, Math.min(end, at + MAX_RESPONSE_BYTES + 1 - this.#bodyBytes));
      this.#body.push(piece);
      this.#bodyBytes += piece.length;
    }
    this.#left -= end - at;
    if (this.#part === 'chunk' && this.#left === 0) this.#part = 'end of a chunk';
    if (this.#part === 'body of a length' && this.#left === 0) this.#end();
    return end;
  }
}
