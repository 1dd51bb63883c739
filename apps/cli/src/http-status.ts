import { get } from 'node:http';

/**
 * Sends a GET and returns the status and body, or undefined when nobody answers within `timeoutMs`. Not by `fetch`,
 * which takes 10 MB: the process that starts the others stays in memory.
 */
export const httpStatus = (url: string, timeoutMs = 2000): Promise<{ status: number; body: string } | undefined> =>
  new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', () => resolve(undefined));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
  });
