import { signal } from '@preact/signals';

/*
 * One stream of events for the whole tab: browsers allow six connections to a host. It is closed while the tab is
 * hidden. Pages use it as a bell: what rings is read with the filters of the page, so that the server decides what
 * belongs there.
 */

/** How many events came in since the page was opened. */
export const arrived = signal(0);

let source: EventSource | undefined;
let listeners = 0;

const open = (): void => {
  if (source !== undefined || document.hidden || listeners === 0) return;
  source = new EventSource('/v1/stream');
  source.addEventListener('event', () => {
    arrived.value++;
  });
  // The server could not send all that came in: how many is not known, and the list is read anew anyway.
  source.addEventListener('resync', () => {
    arrived.value++;
  });
};

const close = (): void => {
  source?.close();
  source = undefined;
};

document.addEventListener('visibilitychange', () => {
  if (document.hidden) close();
  else open();
});

/** @returns stops listening */
export const listen = (): (() => void) => {
  listeners++;
  open();
  return () => {
    listeners--;
    if (listeners === 0) close();
  };
};
