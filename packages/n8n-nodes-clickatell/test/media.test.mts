import { createHash } from 'node:crypto';
import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { describe, expect, it } from 'vitest';
import { eventItem, rejection, useClickatell } from './use-clickatell.mts';

const clickatell = useClickatell();
const { run } = clickatell;

describe('media', () => {
  const bytes = Buffer.from('bytes of a picture');
  const sha256Hash = createHash('sha256').update(bytes).digest('hex');
  const withFile = (file: IDataObject): INodeExecutionData =>
    eventItem({ event: { moMedia: [{ from: '1', messageId: 'm', files: [file] }] } });
  const from = (item: INodeExecutionData, options: IDataObject = {}) =>
    run('media.download', { downloadFrom: 'event', event: item.json, outputField: 'data', options }, { items: [item] });

  it('of an event are fetched by their link, with the key, as binary data', async () => {
    clickatell.reply = () => ({ bytes });
    const file = {
      downloadUrl: `${clickatell.baseUrl}/v1/media?fileId=f1&source=client`,
      contentType: 'image/jpeg',
      fileName: 'a.jpg',
      sha256Hash,
    };
    const [item] = await from(withFile(file));
    expect(clickatell.asked[0]).toMatchObject({
      method: 'GET',
      path: '/v1/media?fileId=f1&source=client',
      headers: { authorization: 'the-key' },
    });
    expect(item).toEqual({
      json: {
        fileName: 'a.jpg',
        contentType: 'image/jpeg',
        byteSize: bytes.length,
        sha256: sha256Hash,
        sha256Matches: true,
      },
      binary: { data: { data: bytes.toString('base64'), mimeType: 'image/jpeg', fileName: 'a.jpg' } },
      pairedItem: { item: 0 },
    });
  });

  it('that came inside the callback are decoded', async () => {
    const item = eventItem({ event: { moMedia: [{ contentType: 'image/png', content: bytes.toString('base64') }] } });
    const [given] = await from(item);
    expect(given?.binary?.['data']).toMatchObject({ data: bytes.toString('base64'), mimeType: 'image/png' });
    expect(clickatell.asked).toEqual([]);
  });

  it('with another hash than Clickatell said are told, and no error', async () => {
    clickatell.reply = () => ({ bytes });
    const [item] = await from(withFile({ downloadUrl: `${clickatell.baseUrl}/v1/media?fileId=f1`, sha256Hash: 'ff' }));
    expect(item?.json['sha256Matches']).toBe(false);
  });

  it.each([
    ['another host', () => 'https://evil.example/v1/media?fileId=1'],
    ['another path', () => `${clickatell.baseUrl}/v1/mediaevil?fileId=1`],
    ['a user in front of the host', () => `${clickatell.baseUrl.replace('://', '://x@')}/v1/media?fileId=1`],
    ['another protocol', () => 'file:///v1/media'],
    ['no address', () => 'not a link'],
  ])('are not fetched from %s: the key would go along', async (_what, link) => {
    const parameters = { downloadFrom: 'link', downloadUrl: link(), outputField: 'data' };
    expect((await rejection(run('media.download', parameters))).message).toMatch(
      /^The link does not lead to 127\.0\.0\.1:\d+\/v1\/media$/,
    );
    expect(clickatell.asked).toEqual([]);
  });

  it('do not follow a redirect with the key', async () => {
    clickatell.reply = ({ path }) =>
      path === '/elsewhere' ? { bytes } : { status: 302, headers: { location: '/elsewhere' }, body: {} };
    await rejection(from(withFile({ downloadUrl: `${clickatell.baseUrl}/v1/media?fileId=f1` })));
    expect(clickatell.asked).toHaveLength(1);
  });

  it('larger than allowed are refused while they come', async () => {
    clickatell.reply = () => ({ bytes: Buffer.alloc(2_000_000) });
    const error = await rejection(
      from(withFile({ downloadUrl: `${clickatell.baseUrl}/v1/media?fileId=f1` }), { maxMegabytes: 1 }),
    );
    expect(error.message).toBe('The file is larger than 1 MB');
  });

  it('that are gone say that they are kept for 30 days', async () => {
    clickatell.reply = () => ({ status: 404, body: {} });
    expect(
      (await rejection(from(withFile({ downloadUrl: `${clickatell.baseUrl}/v1/media?fileId=f1` })))).message,
    ).toContain('30 days');
  });
});
