import type { Destination, Overview, TestResult } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { call } from '../session.ts';
import { clockTime, duration } from '../time.ts';
import { wordsOf } from '../words.ts';
import { Ask } from './dialog.tsx';
import { Icon } from './icon.tsx';
import { say } from './live-region.tsx';
import { ShownOnce } from './shown-once.tsx';
import { State } from './state.tsx';

export interface DestinationActionsProps {
  readonly settings: Destination;
  readonly figures: Overview['destinations'][number] | undefined;
  readonly onDone: () => void;
}

type Question = 'pause' | 'rotate' | 'remove';

interface Rotated {
  readonly secrets: readonly { readonly secret: string }[];
  readonly oldUntil: string | null;
}

/** What may be done to a destination. */
export const DestinationActions = ({ settings, figures, onDone }: DestinationActionsProps) => {
  const { id, paused, type } = settings;
  const [asked, setAsked] = useState<Question>();
  const [result, setResult] = useState<TestResult>();
  const [rotated, setRotated] = useState<Rotated>();
  const run = async (what: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await what();
      say(done);
    } catch (error) {
      say(wordsOf(error));
    }
    onDone();
  };
  const resume = (): Promise<void> =>
    run(() => call('POST /v1/destinations/{id}/resume', { path: { id } }), `${id} is sent to again`);
  const test = (): Promise<void> =>
    run(async () => {
      setResult(await call('POST /v1/destinations/{id}/test', { path: { id }, body: {} }));
    }, 'One sample was sent; it is not kept');
  const close = (): void => {
    setAsked(undefined);
    onDone();
  };
  return (
    <div class="actions">
      <div class="chips">
        {paused === null ? (
          <button class="btn" type="button" onClick={() => setAsked('pause')}>
            <Icon name="pause" />
            Pause…
          </button>
        ) : (
          <button class="btn primary" type="button" onClick={resume}>
            <Icon name="right" />
            Resume
          </button>
        )}
        {type === 'webhook' && (
          <button class="btn" type="button" onClick={test}>
            Send one test
          </button>
        )}
        <a class="btn" href={`/destinations/${id}/edit`}>
          Settings
        </a>
        {type === 'webhook' && (
          <button class="btn" type="button" onClick={() => setAsked('rotate')}>
            Rotate secret…
          </button>
        )}
        <button class="btn danger" type="button" onClick={() => setAsked('remove')}>
          Remove…
        </button>
      </div>
      {result !== undefined && <Tested result={result} />}
      {rotated !== undefined && <NewSecret rotated={rotated} />}
      {asked === 'pause' && <Pause id={id} onClose={close} />}
      {asked === 'rotate' && <Rotate id={id} onClose={close} onRotated={setRotated} />}
      {asked === 'remove' && <Remove id={id} figures={figures} onClose={() => setAsked(undefined)} />}
    </div>
  );
};

const Tested = ({ result: { delivered, status, durationMs, error, response } }: { result: TestResult }) => (
  <p role="status" class="small">
    <State name={delivered ? 'delivered' : 'failing'}>
      {delivered ? `answered ${status}` : (error?.code ?? `answered ${status}`)} in {duration(durationMs)}
    </State>{' '}
    {!delivered && <span class="muted clip">{response.slice(0, 200)}</span>}
  </p>
);

const Pause = ({ id, onClose }: { id: string; onClose: () => void }) => (
  <Ask
    title={`Pause ${id}?`}
    action={`Pause ${id}`}
    onClose={onClose}
    onDo={(form) => {
      const reason = String(form.get('reason')).trim();
      return call('POST /v1/destinations/{id}/pause', { path: { id }, body: reason === '' ? {} : { reason } });
    }}
  >
    <p>Nothing is sent to it. Its events wait, and go first when it is resumed.</p>
    <label class="field">
      Why, for others to read
      <input name="reason" maxLength={200} autocomplete="off" placeholder="moving to another server" />
    </label>
  </Ask>
);

interface RotateProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onRotated: (rotated: Rotated) => void;
}

const Rotate = ({ id, onClose, onRotated }: RotateProps) => (
  <Ask
    title={`Rotate the signing secret of ${id}?`}
    action="Make a new secret"
    onClose={onClose}
    onDo={async (form) => {
      const keepOldFor = String(form.get('keep'));
      onRotated(await call('POST /v1/destinations/{id}/rotate-secret', { path: { id }, body: { keepOldFor } }));
    }}
  >
    <p>Deliveries carry both signatures for a while, so that its receiver can change over without losing any.</p>
    <label class="field">
      The old secret signs too for
      <select name="keep">
        <option value="24h">24 hours</option>
        <option value="1h">1 hour</option>
        <option value="7d">7 days</option>
        <option value="0s">no longer: it has leaked</option>
      </select>
    </label>
  </Ask>
);

const NewSecret = ({ rotated: { secrets, oldUntil } }: { rotated: Rotated }) => (
  <div class="stack">
    {secrets.map(({ secret }) => (
      <ShownOnce key={secret} text={secret} label="signing secret" />
    ))}
    <p class="small muted">
      {oldUntil === null
        ? 'The old one signs no more.'
        : `The old one signs too until ${clockTime(oldUntil, { millis: false })}.`}
    </p>
  </div>
);

interface RemoveProps {
  readonly id: string;
  readonly figures: Overview['destinations'][number] | undefined;
  readonly onClose: () => void;
}

const Remove = ({ id, figures, onClose }: RemoveProps) => {
  const { route } = useLocation();
  // As counted when the question was asked: what comes since then is refused, and said.
  const [{ waiting, deadLetters }] = useState({
    waiting: figures?.waiting ?? 0,
    deadLetters: figures?.deadLetters ?? 0,
  });
  return (
    <Ask
      title={`Remove ${id}?`}
      action={`Remove ${id}`}
      isDanger
      typed={id}
      onClose={onClose}
      onDo={async () => {
        await call('DELETE /v1/destinations/{id}', { path: { id }, query: { expected: waiting + deadLetters } });
        say(`${id} is removed`);
        route('/destinations');
      }}
    >
      <p>
        <b>
          {waiting.toLocaleString('en')} that wait and {deadLetters.toLocaleString('en')} dead letters
        </b>{' '}
        are lost with it. The events stay in the log, and other destinations get theirs.
      </p>
    </Ask>
  );
};
