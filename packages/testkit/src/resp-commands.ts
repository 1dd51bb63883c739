import { Buffer } from 'node:buffer';

/** One command in a stream. */
interface SplitCommand {
  /** In capitals. */
  readonly name: string;
  /** Where it ends, in bytes from the first one that was pending before the push that completed it. */
  readonly end: number;
}

export interface CommandSplitter {
  /** Returns the commands that this chunk completes. */
  push(chunk: Buffer): SplitCommand[];
  /** How many bytes of an incomplete command have arrived. */
  readonly pendingBytes: number;
}

const LINE_END = '\r\n';

/**
 * Finds where the commands end that a client sends to Redis (RESP arrays of bulk strings, as all clients send them; a
 * line is an inline command). Reads only their names.
 */
export const createCommandSplitter = (): CommandSplitter => {
  let chunks: Buffer[] = [];
  let pendingBytes = 0;
  /** Fewer bytes than this complete nothing, so large arguments are not joined again with each chunk. */
  let needed = 1;

  return {
    push: (chunk) => {
      chunks.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes < needed) return [];
      const buffer = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const commands: SplitCommand[] = [];
      let at = 0;
      for (;;) {
        const command = readCommand(buffer, at);
        if (typeof command === 'number') {
          needed = command - at;
          break;
        }
        commands.push(command);
        at = command.end;
      }
      chunks = at === buffer.length ? [] : [buffer.subarray(at)];
      pendingBytes = buffer.length - at;
      return commands;
    },
    get pendingBytes() {
      return pendingBytes;
    },
  };
};

/** Returns the command that begins here, or the least length of the buffer at which it may be readable. */
const readCommand = (buffer: Buffer, from: number): SplitCommand | number => {
  const line = readLine(buffer, from);
  if (line === undefined) return buffer.length + 1;
  if (!line.text.startsWith('*')) return { name: line.text.split(' ')[0]?.toUpperCase() ?? '', end: line.end };
  let at = line.end;
  let name = '';
  for (let left = Number(line.text.slice(1)); left > 0; left--) {
    const size = readLine(buffer, at);
    if (size === undefined) return buffer.length + 1;
    const end = size.end + Number(size.text.slice(1)) + LINE_END.length;
    if (end > buffer.length) return end;
    if (name === '') name = buffer.toString('latin1', size.end, end - LINE_END.length).toUpperCase();
    at = end;
  }
  return { name, end: at };
};

const readLine = (buffer: Buffer, from: number): { text: string; end: number } | undefined => {
  const end = buffer.indexOf(LINE_END, from, 'latin1');
  return end === -1 ? undefined : { text: buffer.toString('latin1', from, end), end: end + LINE_END.length };
};
