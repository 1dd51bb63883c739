import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps a second `start` off the same DATA_DIR. A socket rather than a file with a pid: it ends with its process however
 * that ended, and a pid may belong to something else by then (in a container it nearly always does).
 * @returns how to let go, or undefined when another process holds it
 */
export const lockDataDir = async (dataDir: string): Promise<(() => void) | undefined> => {
  if (await isLocked(dataDir)) return undefined;
  let refusal: unknown;
  for (const path of socketPaths(dataDir)) {
    // Nobody answers there: what is left is of a process that was killed.
    rmSync(path, { force: true });
    const server = createServer((socket) => socket.destroy()).listen(path);
    try {
      await once(server, 'listening');
      server.unref();
      return () => server.close();
    } catch (error) {
      // Some file systems have no sockets.
      refusal = error;
    }
  }
  throw refusal;
};

/** Whether a `start` of this DATA_DIR is alive. */
export const isLocked = async (dataDir: string): Promise<boolean> => {
  const answers = await Promise.all(socketPaths(dataDir).map(answersAt));
  return answers.includes(true);
};

const socketPaths = (dataDir: string): string[] => {
  const inside = join(dataDir, 'run.sock');
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 24);
  const outside = join(tmpdir(), `clickrelay-${name}.sock`);
  // Systems allow 103 bytes and up.
  return Buffer.byteLength(inside) <= 100 ? [inside, outside] : [outside];
};

const answersAt = async (path: string): Promise<boolean> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};
