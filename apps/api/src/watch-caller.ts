import type { Context } from 'koa';
import type { Exchange } from './operation.ts';

/** Tells when the caller goes away before it has its answer. */
export const watchCaller = (ctx: Context): Pick<Exchange, 'signal' | 'onUnsent'> => {
  const { res } = ctx;
  const gone = new AbortController();
  const tell = (): void => {
    if (!res.writableFinished) gone.abort();
  };
  if (res.closed) tell();
  else res.once('close', tell);
  return {
    signal: gone.signal,
    onUnsent: (undo) => {
      // Nobody is left to answer: a failure goes to the log.
      const undoOrReport = (): void => void undo().catch((error) => ctx.app.emit('error', error, ctx));
      if (gone.signal.aborted) undoOrReport();
      else gone.signal.addEventListener('abort', undoOrReport);
    },
  };
};
