import { once } from 'node:events';
import { createServer } from 'node:net';
import { CommandError } from './errors.ts';

/**
 * @param variable the setting for this port, for the message
 * @throws {CommandError} when another program listens there, or this user may not
 */
export const checkPortFree = async (variable: string, host: string, port: number): Promise<void> => {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EADDRINUSE'
        ? `port ${port} is in use by another program`
        : code === 'EACCES'
          ? `port ${port} is not allowed to this user`
          : `port ${port} of ${host} cannot be opened (${message})`;
    throw new CommandError('port_in_use', `${why}; choose another with ${variable}, such as ${variable}=${port + 10}`, {
      cause: error,
    });
  }
  server.close();
  await once(server, 'close');
};
