import { signal } from '@preact/signals';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = 'clickrelay-theme';

const kept = (): Theme => {
  try {
    const found = localStorage.getItem(KEPT_AS);
    return THEMES.find((theme) => theme === found) ?? 'system';
  } catch {
    // The browser keeps nothing for this page.
    return 'system';
  }
};

export const theme = signal<Theme>('system');

const show = (): void => {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
};

export const applyTheme = (): void => {
  theme.value = kept();
  show();
};

/** Follows the system, then light, then dark. */
export const nextTheme = (): void => {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] as Theme;
  try {
    localStorage.setItem(KEPT_AS, theme.value);
  } catch {
    // It holds until the page is closed.
  }
  show();
};
