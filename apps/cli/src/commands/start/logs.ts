import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Where the log lines of the parts go. */
export interface LogOutput {
  /** What to give `spawn` for stdout and stderr of a part. */
  outputOf(name: string): 'pipe' | number;
  follow(name: string, ...streams: (Readable | null)[]): void;
}

/** For a service manager or a container: the parts write their JSON lines straight to our stderr. */
export const logsToStderr: LogOutput = { outputOf: () => 2, follow: () => {} };

const MAX_LOG_BYTES = 16 * 1024 * 1024;

/**
 * For a person: every line goes to DATA_DIR/logs/clickrelay.log (at most two files of 16 MB). Only warnings and errors
 * are shown, as one readable line each, so that the screen with the URLs stays in sight.
 */
export const logsToFile = (dataDir: string, show: (line: string) => void): LogOutput => {
  const folder = join(dataDir, 'logs');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = logFile(dataDir);
  let size = sizeOf(path);
  let pending: string[] = [];

  // The lines of one turn of the event loop share a write.
  const write = (line: string): void => {
    if (pending.push(line) === 1) setImmediate(flush);
  };
  const flush = (): void => {
    const text = `${pending.join('\n')}\n`;
    pending = [];
    try {
      if (size > MAX_LOG_BYTES) {
        renameSync(path, `${path}.1`);
        size = 0;
      }
      appendFileSync(path, text, { mode: 0o600 });
      size += Buffer.byteLength(text);
    } catch (error) {
      show(`log lines are lost: ${path} cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  };

  return {
    outputOf: () => 'pipe',
    follow: (name, ...streams) => {
      for (const stream of streams) {
        if (stream === null) continue;
        createInterface({ input: stream }).on('line', (line) => {
          write(line);
          const readable = readableLine(name, line);
          if (readable !== undefined) show(readable);
        });
      }
    },
  };
};

export const logFile = (dataDir: string): string => join(dataDir, 'logs', 'clickrelay.log');

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const LEVELS: Record<number, string> = { 40: 'warning', 50: 'error', 60: 'fatal' };
const HIDDEN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'app', 'msg', 'v', 'err', 'frames']);

/**
 * What a person sees of a log line. Nothing below a warning, except a line with a new secret, which appears nowhere
 * else. Text that is not one of our log lines stays as it is.
 */
export const readableLine = (name: string, line: string): string | undefined => {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
    if (typeof entry !== 'object' || entry === null || typeof entry['level'] !== 'number') throw new Error();
  } catch {
    return line.trim() === '' ? undefined : `${name}: ${line}`;
  }
  const level = LEVELS[entry['level'] as number];
  if (level === undefined && entry['secret'] === undefined) return undefined;
  const error = entry['err'] as { message?: unknown } | undefined;
  const fields = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const words = [level === undefined ? `${name}:` : `${name} ${level}:`, entry['msg'], error?.message, ...fields];
  return words.filter((word) => typeof word === 'string' && word !== '').join(' ');
};
