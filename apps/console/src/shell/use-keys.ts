import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { nextTheme } from '../theme.ts';

/** After `g`. */
const GO: Readonly<Record<string, string>> = {
  o: '/',
  e: '/events',
  m: '/dead-letters',
  d: '/destinations',
  q: '/quarantine',
  r: '/replays',
  s: '/setup',
};
/** `g` waits this long for the letter that follows, in ms. */
const CHORD_MS = 1_500;

const isTyping = ({ target }: KeyboardEvent): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Single keys for the whole page; none acts inside a field, or with a modifier. */
export const useKeys = (): void => {
  const { route } = useLocation();
  useEffect(() => {
    let goUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
      const path = Date.now() < goUntil ? GO[event.key] : undefined;
      goUntil = event.key === 'g' ? Date.now() + CHORD_MS : 0;
      if (path !== undefined) route(path);
      else if (event.key === 't') nextTheme();
      else if (event.key === '/') {
        event.preventDefault();
        document.querySelector<HTMLInputElement>('#find')?.focus();
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [route]);
};
