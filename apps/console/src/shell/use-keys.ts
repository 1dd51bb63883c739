import { signal } from '@preact/signals';
import { useLayoutEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { nextTheme } from '../theme.ts';

/** After `g`. */
export const GO: Readonly<Record<string, { readonly path: string; readonly name: string }>> = {
  o: { path: '/', name: 'Overview' },
  i: { path: '/intake', name: 'Intake' },
  e: { path: '/events', name: 'Events' },
  m: { path: '/messages', name: 'Messages' },
  y: { path: '/deliveries', name: 'Deliveries' },
  d: { path: '/dead-letters', name: 'Dead letters' },
  q: { path: '/quarantine', name: 'Quarantine' },
  r: { path: '/replays', name: 'Replays' },
  t: { path: '/destinations', name: 'Destinations' },
  l: { path: '/ledger', name: 'Ledger' },
  s: { path: '/setup', name: 'Set-up' },
  k: { path: '/keys', name: 'Keys and audit' },
};
/** `g` waits this long for the letter that follows, in ms. */
const CHORD_MS = 1_500;

const KEPT_AS = 'clickrelay-single-keys';

const kept = (): boolean => {
  try {
    return localStorage.getItem(KEPT_AS) !== 'off';
  } catch {
    // The browser keeps nothing for this page.
    return true;
  }
};

/** Whether single keys act; people who dictate switch them off (WCAG 2.1.4). */
export const actOnKeys = signal(kept());

export const setActOnKeys = (isOn: boolean): void => {
  actOnKeys.value = isOn;
  try {
    if (isOn) localStorage.removeItem(KEPT_AS);
    else localStorage.setItem(KEPT_AS, 'off');
  } catch {
    // It holds until the page is closed.
  }
};

/** Whether the list of keys is open. */
export const isHelpOpen = signal(false);

/** A field takes letters; a checkbox does not. */
const isTyping = ({ target }: KeyboardEvent): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"])'));

const rows = (): HTMLTableRowElement[] => [...document.querySelectorAll<HTMLTableRowElement>('#main tbody tr')];
const currentRow = (): HTMLTableRowElement | undefined => rows().find((row) => row.contains(document.activeElement));

/** The link of a row, or what else in it takes the focus. */
const handleOf = (row: HTMLTableRowElement | undefined): HTMLElement | null | undefined =>
  row?.querySelector<HTMLElement>('a') ?? row?.querySelector<HTMLElement>('input, button');

const move = (by: 1 | -1): void => {
  const all = rows().filter((row) => handleOf(row) != null);
  const at = all.findIndex((row) => row.contains(document.activeElement));
  handleOf(all[at === -1 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)])?.focus();
};

/** Ticks the row's box, or shows the row beside its list. */
const select = (): void => {
  const row = currentRow();
  const box = row?.querySelector<HTMLInputElement>('input[type="checkbox"]');
  if (box != null) box.click();
  else row?.click();
};

/** A button says by `aria-keyshortcuts` which key presses it. */
const press = (key: string): void => document.querySelector<HTMLElement>(`[aria-keyshortcuts="${key}"]`)?.click();

const ACTS: Readonly<Record<string, () => void>> = {
  j: () => move(1),
  k: () => move(-1),
  x: select,
  '.': () => press('.'),
  t: nextTheme,
  '?': () => {
    isHelpOpen.value = true;
  },
  '/': () => document.querySelector<HTMLInputElement>('#find')?.focus(),
};

/** Until when a letter belongs to the `g` before it. By the time at which keys are pressed: a busy page hears of them later. */
let goUntil = 0;

/** Single keys for the whole page; none acts inside a field, with a modifier, or behind a dialog. */
export const useKeys = (): void => {
  const { route } = useLocation();
  // Before the page is painted: whoever sees it may press a key.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!actOnKeys.value || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      const page = event.timeStamp < goUntil ? GO[event.key] : undefined;
      goUntil = event.key === 'g' ? event.timeStamp + CHORD_MS : 0;
      const act = page === undefined ? ACTS[event.key] : () => route(page.path);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [route]);
};
