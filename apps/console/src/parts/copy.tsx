import { Icon } from './icon.tsx';
import { say } from './live-region.tsx';

/** Copies a text, and says so. @param label what is copied: `event id` */
export const copyText = async (text: string, label: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied the ${label}`);
  } catch {
    // Over plain http browsers keep the clipboard from pages.
    say('This browser does not let the page copy: select the text instead');
  }
};

/** @param label what is copied: `event id` */
export const Copy = ({ text, label }: { text: string; label: string }) => (
  <button class="btn s icon quiet" type="button" aria-label={`Copy ${label}`} onClick={() => copyText(text, label)}>
    <Icon name="copy" />
  </button>
);
