import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps a second `start` off the same DATA_DIR. A socket rather than a file with a pid: the socket ends with its
 * process, however that ends, while the pid may soon belong to another process (in a container it nearly always does).
 * @returns a function that releases the lock, or undefined when another process holds it
 */
export const lockDataDir = async (dataDir: string): Promise<(() => void) | undefined> => {
  if (await isLocked(dataDir)) return undefined;
  let refusal: unknown;
  for (const path of socketPaths(dataDir)) {
    // Nobody answers there: a process that was killed left it behind.
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
  // Some systems allow no more than 103 bytes.
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
