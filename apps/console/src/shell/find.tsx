import type { Found } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { Icon } from '../parts/icon.tsx';
import { say } from '../parts/live-region.tsx';
import { call } from '../session.ts';
import { wordsOf } from '../words.ts';

/** Where a hit is shown. */
const PATHS: Readonly<Record<Found['hits'][number]['kind'], (id: string) => string>> = {
  event: (id) => `/events/${encodeURIComponent(id)}`,
  delivery: (id) => `/deliveries/${encodeURIComponent(id)}`,
  message: (id) => `/messages/${encodeURIComponent(id)}`,
  destination: (id) => `/destinations/${encodeURIComponent(id)}`,
  quarantined: (id) => `/quarantine/${encodeURIComponent(id)}`,
  replay: (id) => `/replays/${encodeURIComponent(id)}`,
};

/** What the API recognised, in words. */
const kindOf = (recognised: Found['recognised']): string => (recognised ?? 'nothing').replaceAll('_', ' ');

/**
 * Looks an id or a person up by exact key, and goes straight to a single hit. A number is sent in a body, and stands in
 * no URL but as its keyed hash.
 */
export const Find = () => {
  const { route } = useLocation();
  const [isBusy, setBusy] = useState(false);
  const find = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).elements.namedItem('q') as HTMLInputElement;
    const text = input.value.trim();
    if (text === '' || isBusy) return;
    setBusy(true);
    try {
      const { recognised, party, hits } = await call('POST /v1/find', { query: { reveal: 'false' }, body: { text } });
      const [hit] = hits;
      if (party !== null) route(`/events?party=${party}`);
      else if (hit !== undefined) route(PATHS[hit.kind](hit.id));
      else return say(`Nothing here has that id: looked up as ${kindOf(recognised)}`);
      input.value = '';
    } catch (error) {
      say(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <search class="find-box">
      <form class="find" onSubmit={find}>
        <Icon name="find" />
        <label class="sr" for="find">
          Find
        </label>
        <input
          id="find"
          name="q"
          type="search"
          autocomplete="off"
          spellcheck={false}
          onKeyDown={({ key, currentTarget }) => {
            if (key === 'Escape') currentTarget.blur();
          }}
          placeholder="Find a message, event, delivery or phone number"
        />
        <kbd>/</kbd>
      </form>
    </search>
  );
};
