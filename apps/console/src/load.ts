import { useEffect, useState } from 'preact/hooks';

/*
 * What a page reads. A request that fails leaves what is on the screen, says since when it is true, and tries again.
 */

export interface Loaded<T> {
  /** Undefined until the first answer. */
  readonly data: T | undefined;
  /** Why the last request failed; undefined when it did not. */
  readonly error: Error | undefined;
  /** When `data` was true. */
  readonly at: number | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

export interface LoadOptions {
  /** Reads again this long after the last answer, in ms, while the tab is visible. @default never */
  readonly everyMs?: number;
}

/** How long after a failure it tries again, in ms. */
const AGAIN_MS = 5_000;

/** @param key the request, as text: another one begins anew, and what is on the screen stays until its answer */
export const useLoad = <T>(
  key: string,
  read: (signal: AbortSignal) => Promise<T>,
  { everyMs }: LoadOptions = {},
): Loaded<T> => {
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({
    data: undefined,
    error: undefined,
    at: undefined,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  // The key stands for what `read` closes over.
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const again = (ms: number): void => {
      timer = window.setTimeout(load, ms);
    };
    const load = async (): Promise<void> => {
      if (document.hidden) return again(1_000);
      setState((before) => ({ ...before, isLoading: true }));
      try {
        const data = await read(abort.signal);
        if (abort.signal.aborted) return;
        setState({ data, error: undefined, at: Date.now(), isLoading: false });
        if (everyMs !== undefined) again(everyMs);
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((before) => ({ ...before, error: error as Error, isLoading: false }));
        if (!isRefusal(error)) again(AGAIN_MS);
      }
    };
    void load();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [key, turn, everyMs]);
  return { ...state, reload: () => setTurn((before) => before + 1) };
};

/** The API understood, and said no: the same question gets the same answer. */
const isRefusal = (error: unknown): boolean => {
  const { status } = error as { status?: number };
  return status !== undefined && status >= 400 && status < 500 && status !== 429;
};
