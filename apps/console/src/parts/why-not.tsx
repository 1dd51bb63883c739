import { useState } from 'preact/hooks';
import { call } from '../session.ts';
import { wordsOf } from '../words.ts';
import { State } from './state.tsx';

interface Match {
  readonly wanted: boolean;
  readonly rules: readonly { rule: string; passed: boolean; detail: string }[];
}

/** Explains, for one event, rule by rule, why it goes to a destination or does not. */
export const WhyNot = ({ destinationId }: { destinationId: string }) => {
  const [match, setMatch] = useState<Match>();
  const [error, setError] = useState<string>();
  const ask = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const eventId = String(new FormData(event.currentTarget as HTMLFormElement).get('event')).trim();
    setError(undefined);
    setMatch(undefined);
    try {
      const query = { event: eventId, reveal: 'false' as const };
      setMatch(await call('GET /v1/destinations/{id}/match', { path: { id: destinationId }, query }));
    } catch (refused) {
      setError(wordsOf(refused));
    }
  };
  return (
    <section class="card">
      <header>
        <h2>Why not?</h2>
      </header>
      <form class="body stack" onSubmit={ask}>
        <label class="field">
          Event id
          <input name="event" required placeholder="evt_…" autocomplete="off" />
        </label>
        <button class="btn" type="submit">
          Explain
        </button>
        {error !== undefined && (
          <p role="alert" class="bad">
            {error}
          </p>
        )}
        {match !== undefined && (
          <div role="status">
            <b>{match.wanted ? `${destinationId} wants it` : `${destinationId} does not want it`}</b>
            {match.rules.map(({ rule, passed, detail }) => (
              <p key={rule} class="small">
                <State name={passed ? 'healthy' : 'dead'}>{rule}</State> {detail}
              </p>
            ))}
          </div>
        )}
      </form>
    </section>
  );
};
