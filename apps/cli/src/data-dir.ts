import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandError } from './errors.ts';

/** What `clickrelay start` makes on its first run, or was given, and keeps in `DATA_DIR/secrets.json`. */
export interface Secrets {
  /** What `start` was last given as CALLBACK_AUTH, or `query:<secret>` if it never was. */
  callbackAuth?: string;
  apiKey?: string;
  personKey?: string;
  redisPassword?: string;
}

/** `DATA_DIR/run.json`: what runs now. `start` removes it at its end; after a crash it may be out of date. */
export interface RunFile {
  pid: number;
  startedAt: string;
  roles: string[];
  receiverUrl?: string;
  apiUrl?: string;
  /** With the password if it is Clickrelay's own Redis, without any otherwise. */
  redisUrl: string;
  /** By role; `redis` only if it is our own. */
  pids: Record<string, number>;
}

/** Makes DATA_DIR, readable by this user only. @returns its absolute path */
export const makeDataDir = (path: string): string => {
  const dir = resolve(path);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CommandError('data_dir', `DATA_DIR ${dir} cannot be made: ${(error as Error).message}`, { cause: error });
  }
  return dir;
};

/** @throws {CommandError} when the file exists but cannot be read */
export const readSecrets = (dataDir: string): Secrets => readJson<Secrets>(join(dataDir, 'secrets.json')) ?? {};

/** Makes the wanted secrets that are missing, and returns all of them. */
export const makeSecrets = (dataDir: string, wanted: (keyof Secrets)[]): Secrets => {
  const secrets = readSecrets(dataDir);
  const missing = wanted.filter((name) => !secrets[name]);
  if (missing.length === 0) return secrets;
  for (const name of missing) {
    const secret = randomBytes(24).toString('base64url');
    secrets[name] = name === 'callbackAuth' ? `query:${secret}` : secret;
  }
  writeJson(join(dataDir, 'secrets.json'), secrets);
  return secrets;
};

/** Keeps what `start` was given, so that a start without it is one with the same. */
export const keepCallbackAuth = (dataDir: string, callbackAuth: string): void => {
  const secrets = readSecrets(dataDir);
  if (secrets.callbackAuth === callbackAuth) return;
  writeJson(join(dataDir, 'secrets.json'), { ...secrets, callbackAuth });
};

export const readRunFile = (dataDir: string): RunFile | undefined => readJson<RunFile>(join(dataDir, 'run.json'));

export const writeRunFile = (dataDir: string, run: RunFile): void => {
  writeJson(join(dataDir, 'run.json'), run);
};

export const removeRunFile = (dataDir: string): void => {
  rmSync(join(dataDir, 'run.json'), { force: true });
};

export const readJson = <T>(path: string): T | undefined => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CommandError('data_dir', `${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    // The message of the parser quotes the file, which may hold secrets.
    throw new CommandError('data_dir', `${path} is not JSON; fix it, or move it away so that a new one is made`);
  }
};

/** Writes the whole file or nothing, with mode 600: these files hold secrets. */
export const writeJson = (path: string, value: unknown): void => {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
};
