import type { Event } from '@clickrelay/client';

/* What an event is, in a few words that hold nothing personal. */

const WORDS: Readonly<Record<string, { icon: string; word: string; title: string }>> = {
  moText: { icon: 'text', word: 'text', title: 'Text' },
  moMedia: { icon: 'img', word: 'media', title: 'Media' },
  moLocation: { icon: 'pin', word: 'location', title: 'Location' },
  moContacts: { icon: 'contact', word: 'contacts', title: 'Contacts' },
  moSuggestedResponse: { icon: 'btn', word: 'suggested answer', title: 'Suggested answer' },
  moListPickerResponse: { icon: 'btn', word: 'choice from a list', title: 'Choice from a list' },
  moButtonResponse: { icon: 'btn', word: 'button', title: 'Button' },
  messageStatusUpdate: { icon: 'tick', word: 'status', title: 'Status' },
};

export const iconOf = ({ type }: Pick<Event, 'type'>): string => WORDS[type]?.icon ?? 'dots';

/** `Text`, `Status`; Clickatell's own name for what is new. */
export const titleOf = ({ type }: Pick<Event, 'type'>): string => WORDS[type]?.title ?? type;

/** `READ, final`; `image/jpeg`; `text`. */
export const summaryOf = ({ type, data, valid }: Pick<Event, 'type' | 'data' | 'valid'>): string => {
  if (valid === false) return 'does not fit its type';
  if (type === 'messageStatusUpdate') {
    const name = String(data['name'] ?? data['code'] ?? 'unknown');
    return data['final'] === true ? `${name}, final` : name;
  }
  if (type === 'moMedia') return String(data['contentType'] ?? 'media');
  return WORDS[type]?.word ?? type;
};
