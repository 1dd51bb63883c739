import { announcesBody } from '@clickrelay/service/http';
import type { Context } from 'koa';
import type { WriteAnswer } from './answer.ts';
import { queryData } from './query-data.ts';
import { allowMethods, RefusalError } from './render-error.ts';

/** The two paths of Clickatell's own examples. The body says what a callback is: either path takes both kinds. */
export const callbackPaths = (prefix: string): string[] => [`${prefix}/one-api-reply`, `${prefix}/one-api-status`];

/**
 * Answers requests that are not callbacks. Portals call a URL before they save it, often with GET or without a body,
 * and refuse one that answers badly. Such a call gets 200 before any credential is checked, so the answer says nothing
 * about the credential. One whose query holds data is no probe. Never a redirect: Clickatell takes that for the end of the callback, which is then lost.
 * @returns whether the request was answered
 * @throws {RefusalError} 404 `not_found`; 405 `method_not_allowed`
 */
export const answerProbes = ({
  paths,
  answer,
}: {
  paths: readonly string[];
  answer: WriteAnswer;
}): ((ctx: Context, path: string) => boolean) => {
  const known = new Set(paths.flatMap((path) => [path, `${path}/`]));
  return (ctx, path) => {
    if (!known.has(path)) {
      // The paths are not named here: some people hide them with CALLBACK_PATH_PREFIX.
      throw new RefusalError(404, 'not_found', 'nothing is served at this path', { logLevel: 'debug' });
    }
    if (ctx.req.method === 'POST' && announcesBody(ctx.req)) return false;
    allowMethods(ctx.method, ['POST', 'GET', 'HEAD']);
    if (queryData(ctx.req.url ?? '') !== '') return false;
    answer(ctx, 200, '{"accepted":0}');
    return true;
  };
};
