import { createHash } from 'node:crypto';
import type { IBinaryData, IDataObject, IExecuteFunctions, IN8nHttpFullResponse } from 'n8n-workflow';
import { noAnswer, readObject, throwFailure } from './api.ts';
import { InvalidMessageError, readEvent } from './build-message.ts';
import { readFailure } from './errors.ts';

/** A file that came with an event: a link to Clickatell, or its bytes. */
export interface MediaSource {
  readonly link?: string;
  readonly base64?: string;
  readonly contentType: string | null;
  readonly fileName: string | null;
  readonly sha256Hash: string | null;
}

export interface DownloadedMedia {
  readonly json: IDataObject;
  readonly binary: IBinaryData;
}

/** Lists the files of an event's item, whether sent as links or inside the callback. */
export const mediaOf = (event: unknown): MediaSource[] => {
  const { files, raw } = readEvent(event);
  const element = readObject(raw);
  const sources: MediaSource[] = [];
  for (const file of Array.isArray(files) ? (files as IDataObject[]) : []) {
    const about = {
      contentType: textOrNull(file['contentType']),
      fileName: textOrNull(file['fileName']),
      sha256Hash: textOrNull(file['sha256Hash']),
    };
    const link = textOrNull(file['downloadUrl']);
    const base64 = textOrNull(element['content']);
    if (link !== null) sources.push({ ...about, link });
    else if (file['inline'] === true && base64 !== null) sources.push({ ...about, base64 });
  }
  if (sources.length > 0) return sources;
  throw new InvalidMessageError(
    'The event has no media',
    'Set Event to the item of a moMedia event, for example {{ $(\'Clickatell Trigger\').item.json }}. Media sent inside the callback are in "raw", so do not leave it out in the trigger.',
  );
};

/** Fetches or decodes a file as n8n's binary data. */
export const download = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  source: MediaSource,
  maxBytes: number,
): Promise<DownloadedMedia> => {
  const { bytes, contentType } =
    source.link === undefined ? decode(source, maxBytes) : await fetchLink(n8n, itemIndex, source.link, maxBytes);
  const mimeType = source.contentType ?? contentType ?? 'application/octet-stream';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const binary = await n8n.helpers.prepareBinaryData(bytes, source.fileName ?? undefined, mimeType);
  return {
    binary,
    json: {
      fileName: source.fileName,
      contentType: mimeType,
      byteSize: bytes.length,
      sha256,
      // A mismatch is not an error: Clickatell does not say whether it hashes the plain or the encrypted bytes.
      sha256Matches: source.sha256Hash === null ? null : sameHash(source.sha256Hash, bytes),
    },
  };
};

const decode = ({ base64 = '' }: MediaSource, maxBytes: number): { bytes: Buffer; contentType: null } => {
  const text = base64.replace(/^data:[^,]*,/, '').replace(/\s+/g, '');
  if (text === '' || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    throw new InvalidMessageError(
      'The content is not base64',
      'Set it to the base64 text of the file, for example {{ $json.raw.content }}.',
    );
  }
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return { bytes, contentType: null };
};

const fetchLink = async (
  n8n: IExecuteFunctions,
  itemIndex: number,
  link: string,
  maxBytes: number,
): Promise<{ bytes: Buffer; contentType: string | null }> => {
  const { baseUrl } = await n8n.getCredentials<{ baseUrl: string }>('clickatellApi', itemIndex);
  refuseForeignLink(link, baseUrl);
  let response: IN8nHttpFullResponse;
  try {
    response = await n8n.helpers.httpRequestWithAuthentication.call(n8n, 'clickatellApi', {
      method: 'GET',
      url: link,
      encoding: 'stream',
      timeout: 120_000,
      // A redirect would take the key along.
      disableFollowRedirect: true,
      ignoreHttpStatusErrors: true,
      returnFullResponse: true,
    });
  } catch (error) {
    throw noAnswer(n8n, itemIndex, error, 'Try again later; nothing was changed.');
  }
  const isFile = response.statusCode >= 200 && response.statusCode < 300;
  const bytes = await collect(response.body as unknown as AsyncIterable<Uint8Array>, isFile ? maxBytes : 65_536);
  if (!isFile) {
    const told = readFailure(readObject(bytes.toString('utf8'))['error']);
    if (response.statusCode === 404) {
      const expired = { code: null, description: 'Clickatell has no such file: it keeps media for 30 days' };
      throwFailure(n8n, itemIndex, told ?? expired, 404);
    }
    throwFailure(
      n8n,
      itemIndex,
      told ?? { code: null, description: `HTTP ${response.statusCode}` },
      response.statusCode,
    );
  }
  const contentType = response.headers['content-type'];
  return { bytes, contentType: typeof contentType === 'string' ? (contentType.split(';')[0] as string).trim() : null };
};

/** A link is part of a message, so anybody may have written it: fetch only Clickatell's own media. */
const refuseForeignLink = (link: string, baseUrl: string): void => {
  const allowed = new URL(baseUrl);
  const path = `${allowed.pathname.replace(/\/+$/, '')}/v1/media`;
  let url: URL | undefined;
  try {
    url = new URL(link);
  } catch {
    // Refused below.
  }
  if (url?.origin === allowed.origin && url.pathname === path && url.username === '') return;
  throw new InvalidMessageError(
    `The link does not lead to ${allowed.host}${path}`,
    'This node fetches only Clickatell’s own media, because it sends the API key along. Use an HTTP Request node for other addresses.',
  );
};

const collect = async (stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop closes the connection.
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

const tooLarge = (maxBytes: number): InvalidMessageError =>
  new InvalidMessageError(
    `The file is larger than ${maxBytes / 1_048_576} MB`,
    'Raise Largest File under Options; n8n holds the file in memory while it is fetched.',
  );

const sameHash = (given: string, bytes: Buffer): boolean => {
  const digest = createHash('sha256').update(bytes).digest();
  return [digest.toString('hex'), digest.toString('base64'), digest.toString('base64url')].some(
    (written) =>
      written.replace(/=+$/, '') === given.trim().replace(/=+$/, '') || written === given.trim().toLowerCase(),
  );
};

const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
