import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ICredentialTestFunctions } from 'n8n-workflow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClickatellTrigger } from '../nodes/ClickatellTrigger/ClickatellTrigger.node.ts';
import { useTrigger } from './use-trigger.mts';

const trigger = useTrigger();

/** n8n's `request` of a credential's test, after n8n-core 2.41: no status is an error unless `simple`. */
const n8n = {
  helpers: {
    async request({ uri, headers }: { uri: string; headers: Record<string, string> }) {
      const response = await fetch(uri, { headers, redirect: 'manual' });
      const text = await response.text();
      let body: unknown = text;
      try {
        body = JSON.parse(text);
      } catch {
        // As n8n: a body that is no JSON stays a text.
      }
      return { statusCode: response.status, body };
    },
  },
} as unknown as ICredentialTestFunctions;

const tested = async (baseUrl: string, apiKey = 'crk_key') =>
  await new ClickatellTrigger().methods.credentialTest.testClickrelay.call(n8n, {
    id: '1',
    name: 'c',
    type: 'clickrelayApi',
    data: { baseUrl, apiKey },
  });

let server: Server;
let url: string;
let answer: { status: number; body: string };
const json = (body: unknown, status = 200) => ({ status, body: JSON.stringify(body) });
const key = (scopes: string[], destinations: string[]) => json({ name: 'k', scopes, destinations, version: '1' });

beforeEach(async () => {
  answer = key(['lease'], ['n8n-*']);
  server = createServer((_request, response) => {
    response.writeHead(answer.status, { 'content-type': 'application/json', location: '/elsewhere' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** An address where nothing listens any more. */
const deaf = async (): Promise<string> => {
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return url;
};

describe('the test of a Clickrelay credential', () => {
  it.each([
    ['the key that the README makes', ['lease'], ['n8n-*']],
    ['a key for all', ['read', 'lease', 'replay'], ['*']],
    ['a key for one of n8n’s', ['lease'], ['n8n-support-bot']],
  ])('is content with %s', async (_what, scopes, destinations) => {
    answer = key(scopes, destinations);
    expect(await tested(`${url}/`)).toMatchObject({ status: 'OK' });
  });

  it.each([
    ['an empty address', async () => await tested(''), 'The base URL is empty. It begins with http:// or https://'],
    ['no scheme', async () => await tested('relay:8081'), 'The base URL “relay:8081” is no address. It begins with'],
    ['no scheme and no port', async () => await tested('relay'), 'The base URL “relay” is no address. It begins with'],
    [
      'a host that there is not',
      async () => await tested('http://no-such-host.invalid:8081'),
      'There is no host “no-such-host.invalid” for n8n. Check the base URL',
    ],
    [
      'https where http is spoken',
      async () => await tested(url.replace('http:', 'https:')),
      'does not speak https. Change https to http',
    ],
    ['a port where nothing listens', async () => await tested(await deaf()), 'Nothing listens at 127.0.0.1:'],
    ['no key', async () => await tested(url, ' '), 'There is no API key. Make one with: clickrelay keys create'],
    [
      'a key that there is not',
      async () => {
        answer = json({ error: { code: 'unauthorized' } }, 401);
        return await tested(url);
      },
      'Clickrelay does not know this API key.',
    ],
    [
      'a key of another scope',
      async () => {
        answer = key(['read'], []);
        return await tested(url);
      },
      'This API key may not start workflows. It has: read.',
    ],
    [
      'a key of another destination',
      async () => {
        answer = key(['lease'], ['crm']);
        return await tested(url);
      },
      'This API key opens only crm. A trigger can use it only with one of these as its Destination',
    ],
    [
      'another service',
      async () => {
        answer = { status: 200, body: '<html>Welcome</html>' };
        return await tested(url);
      },
      'What answers at the base URL is not Clickrelay’s API.',
    ],
    [
      'a path or the port of the callbacks',
      async () => {
        answer = json({ error: { code: 'not_found' } }, 404);
        return await tested(`${url}/v1`);
      },
      'not that of the callbacks. (HTTP 404)',
    ],
  ])('says what is wrong with %s, and what to do', async (_what, ask, sentence) => {
    const told = await ask();
    expect(told.status).toBe('Error');
    expect(told.message).toContain(sentence);
    expect(told.message).not.toContain('crk_key');
  });
});

describe('activation', () => {
  const refusal = async (baseUrl: string) =>
    (await trigger.activate({ baseUrl }).catch((thrown: unknown) => thrown)) as Error;

  it.each([
    ['no scheme', () => 'relay:8081', 'The base URL “relay:8081” is no address'],
    ['https where http is spoken', () => url.replace('http:', 'https:'), 'does not speak https'],
    [
      'a host that there is not',
      () => 'http://no-such-host.invalid',
      'There is no host “no-such-host.invalid” for n8n',
    ],
    ['another service', () => url, 'Clickrelay’s API is not at the base URL of the credential'],
  ])('is refused for %s', async (_what, address, sentence) => {
    answer = { status: 200, body: '<html>Welcome</html>' };
    expect((await refusal(address())).message).toContain(sentence);
  });

  it('is refused where the address leads elsewhere', async () => {
    answer = { status: 301, body: '' };
    expect((await refusal(url)).message).toBe('The base URL of the credential leads to another address');
  });

  it('waits where nothing listens', async () => {
    const { logged } = await trigger.activate({ baseUrl: await deaf() });
    expect(logged[0]?.message).toContain('goes on as soon as Clickrelay is back');
  });

  it('waits while n8n starts, and the name of the host is not there yet', async () => {
    const { logged } = await trigger.activate({ baseUrl: 'http://no-such-host.invalid', activation: 'init' });
    expect(logged[0]?.message).toContain('goes on as soon as Clickrelay is back');
  });
});
