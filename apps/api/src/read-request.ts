import type { Context } from 'koa';
import type { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import type { Operation } from './operation.ts';

const MAX_REQUEST_BYTES = 256 * 1024;

export interface CheckedRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Reads a request as the schemas of the operation want it.
 * @throws {RequestRefusedError} 400 `invalid_request`, 413 `request_too_large`
 */
export const readRequest = async (
  { params, query, body }: Pick<Operation, 'params' | 'query' | 'body'>,
  ctx: Context,
): Promise<CheckedRequest> => ({
  params: params && check(params, ctx['params'], 'path'),
  query: query && check(query, { ...ctx.query }, 'query'),
  body: body && check(body, await readJson(ctx), 'body'),
});

/** @throws {RequestRefusedError} 400 `invalid_request`, with issues that hold no received value */
export const check = <Schema extends z.ZodType>(schema: Schema, value: unknown, part: string): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const message = `the ${part} of this request does not fit; see the issues`;
  throw new RequestRefusedError(400, 'invalid_request', message, { issues });
};

/** The body of a request; undefined when there is none. */
const readJson = async (ctx: Context): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A request that was destroyed would take its own refusal along.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_REQUEST_BYTES) {
      throw new RequestRefusedError(413, 'request_too_large', `a request may have ${MAX_REQUEST_BYTES} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new RequestRefusedError(400, 'invalid_request', 'the body of this request is not JSON');
  }
};
