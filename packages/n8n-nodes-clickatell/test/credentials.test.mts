import type { IHttpRequestOptions } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { ClickatellApi } from '../credentials/ClickatellApi.credentials.ts';
import { ClickrelayApi } from '../credentials/ClickrelayApi.credentials.ts';

const sign = async (type: ClickatellApi | ClickrelayApi, request: IHttpRequestOptions, baseUrl: string) => {
  if (typeof type.authenticate !== 'function') throw new Error('expected a function');
  return await type.authenticate({ apiKey: ' key ', baseUrl }, request);
};

describe('a credential', () => {
  it('sends a relative request to its base URL with the key', async () => {
    expect(await sign(new ClickatellApi(), { url: '/v1/balance' }, 'https://platform.clickatell.com/')).toEqual({
      url: '/v1/balance',
      baseURL: 'https://platform.clickatell.com',
      headers: { authorization: 'key' },
    });
    expect(await sign(new ClickrelayApi(), { url: '/v1/whoami' }, 'http://relay:8081')).toMatchObject({
      baseURL: 'http://relay:8081',
      headers: { authorization: 'Bearer key' },
    });
  });

  it('gives its key to no other host, scheme or port', async () => {
    const base = 'https://platform.clickatell.com';
    for (const url of [
      'https://evil.example/v1/media',
      'http://platform.clickatell.com/v1/media',
      'https://platform.clickatell.com:8443/v1/media',
      'https://platform.clickatell.com@evil.example/',
      'https://platform.clickatell.com.evil.example/',
    ]) {
      expect((await sign(new ClickatellApi(), { url }, base)).headers, url).toBeUndefined();
    }
    expect((await sign(new ClickatellApi(), { url: `${base}/v1/media` }, base)).headers).toEqual({
      authorization: 'key',
    });
  });

  it('hides its secrets', () => {
    const shown = [new ClickatellApi(), new ClickrelayApi()].flatMap(({ properties }) =>
      properties.filter(({ typeOptions }) => typeOptions?.password !== true).map(({ name }) => name),
    );
    expect(shown).toEqual(['baseUrl', 'baseUrl']);
  });
});
