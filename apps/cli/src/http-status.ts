import { get } from 'node:http';

/**
 * Status and body of a GET, or undefined when nobody answers in `timeoutMs`. Not `fetch`: the process that starts the
 * others stays resident, and fetch would bring 10 MB along.
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
