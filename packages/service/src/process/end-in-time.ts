import type { Stop } from './listen-for-stop.ts';

/** In ms. Longer than the grace of each part, and shorter than `clickrelay start` waits before it kills a part. */
const STOP_WITHIN_MS = 18_000;

/**
 * Ends this process with 1 when it is still there so long after the order to stop, because something that is away
 * (Redis, mostly) holds it up. Nothing acknowledged is lost: it is as if the process had crashed.
 * @param onLate logs that
 */
export const endInTime = ({ told }: Pick<Stop, 'told'>, onLate: () => void, withinMs = STOP_WITHIN_MS): void => {
  told.then(() => {
    const end = (): void => {
      onLate();
      process.exit(1);
    };
    setTimeout(end, withinMs).unref();
  });
};
