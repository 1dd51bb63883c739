import { signal } from '@preact/signals';

const told = signal('');
let timer: number | undefined;

/** Says something once, on the screen and to screen readers. */
export const say = (text: string): void => {
  told.value = text;
  window.clearTimeout(timer);
  timer = window.setTimeout(() => {
    told.value = '';
  }, 4_000);
};

/** The one polite live region of the page. */
export const LiveRegion = () => (
  <div role="status" aria-live="polite" class={told.value === '' ? 'sr' : 'toast'}>
    {told.value}
  </div>
);
