import type { Setup, TestCallback } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLoad } from '../load.ts';
import { Copy } from '../parts/copy.tsx';
import { Icon } from '../parts/icon.tsx';
import { N8nKey } from '../parts/n8n-key.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { State } from '../parts/state.tsx';
import { call, may } from '../session.ts';
import { ago, clockTime } from '../time.ts';
import { sentence as words, wordsOf } from '../words.ts';

const LOOK_MS = 10_000;

/** How do I connect it? */
const SetupPage = () => {
  const [isRevealed, setRevealed] = useState(false);
  const loaded = useLoad(
    `setup ${isRevealed}`,
    (signal) => call('GET /v1/setup', { query: { reveal: isRevealed ? 'true' : 'false' }, signal }),
    isRevealed ? {} : { everyMs: LOOK_MS },
  );
  const setup = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Set-up</h1>
          <p>Three steps from Clickatell to your first delivered event.</p>
        </div>
      </div>
      <Failed loaded={loaded} />
      {setup === undefined ? (
        loaded.error === undefined && <Skeleton />
      ) : (
        <div class="cols side-panel">
          <div class="stack">
            <section class="card">
              <header>
                <h2 class="grow">1. Give Clickatell these two addresses</h2>
                {may('reveal') && (
                  <button
                    class="btn s"
                    type="button"
                    aria-pressed={isRevealed}
                    onClick={() => setRevealed(!isRevealed)}
                  >
                    <Icon name={isRevealed ? 'eyeoff' : 'eye'} />
                    {isRevealed ? 'Hide the secret' : 'Show the secret'}
                  </button>
                )}
              </header>
              <Addresses setup={setup} isRevealed={isRevealed} />
            </section>
            <section class="card">
              <header>
                <h2 class="grow">2. Send a test callback</h2>
                <span class="muted small">
                  {setup.publicUrl === null
                    ? 'to the receiver itself: there is no public address yet'
                    : "through the public address, as Clickatell's would"}
                </span>
              </header>
              {may('admin') ? <Test /> : <p class="body muted">This key may not send one: it needs the scope admin.</p>}
            </section>
            <section class="card">
              <header>
                <h2 class="grow">3. Wait for a real one</h2>
              </header>
              <div class="body">
                {(['messages', 'statuses'] as const).map((lane) => (
                  <Heard key={lane} lane={lane} heard={setup.received[lane]} />
                ))}
              </div>
            </section>
            {may('admin') && may('lease') && <N8nKey />}
          </div>
          <Checks setup={setup} />
        </div>
      )}
    </>
  );
};

const Addresses = ({ setup, isRevealed }: { setup: Setup; isRevealed: boolean }) => {
  const urls = setup.callbackUrls.public ?? setup.callbackUrls.local;
  if (urls === null) return <p class="body muted">No receiver runs, so there is no address yet.</p>;
  return (
    <div class="body stack">
      {setup.callbackUrls.public === null && (
        <p class="small warn">These are addresses of the machine itself: PUBLIC_URL is not set.</p>
      )}
      {[
        { name: 'Replies (moText, moMedia, …)', url: urls.replies },
        { name: 'Delivery statuses', url: urls.statuses },
      ].map(({ name, url }) => (
        <div key={name}>
          <h3>{name}</h3>
          <div class="paste">
            <code class="grow clip">{url}</code>
            {isRevealed && <Copy text={url} label="address with its secret" />}
          </div>
        </div>
      ))}
      <p class="small muted">
        Nothing in front may answer with a redirect, not even from http to https: Clickatell does not follow it and
        drops the callback.
      </p>
    </div>
  );
};

const Heard = ({ lane, heard }: { lane: string; heard: Setup['received']['messages'] }) => (
  <p>
    {heard.firstAt === null || heard.lastAt === null ? (
      <State name="waiting">No callback with {lane} has come yet</State>
    ) : (
      <State name="delivered">
        {words(lane)}: first on {clockTime(heard.firstAt, { millis: false })}, last {ago(heard.lastAt)},{' '}
        {heard.last24h.toLocaleString('en')} in 24 hours
      </State>
    )}
  </p>
);

const Test = () => {
  const [result, setResult] = useState<TestCallback>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const deliver = new FormData(event.currentTarget as HTMLFormElement).get('deliver') !== null;
    setBusy(true);
    setError(undefined);
    try {
      setResult(await call('POST /v1/setup/test-callback', { body: { deliver } }));
    } catch (refused) {
      setError(wordsOf(refused));
    }
    setBusy(false);
  };
  return (
    <form class="body stack" onSubmit={send}>
      <div class="chips">
        <label class="kind">
          <input type="checkbox" name="deliver" />
          Deliver it to destinations too
        </label>
        <span class="grow" />
        <button class="btn primary" type="submit" disabled={isBusy}>
          Send test callback
        </button>
      </div>
      {error !== undefined && (
        <p role="alert" class="bad">
          {error}
        </p>
      )}
      {result !== undefined && (
        <ol class="walk" aria-live="polite">
          {result.steps.map(({ step, ok, ms, detail, mend }) => (
            <li key={step}>
              <time>+ {ms} ms</time>
              <span class={`dot ${ok ? 'ok' : 'bad'}`}>
                <Icon name={ok ? 'ok' : 'dead'} />
              </span>
              <div>
                <h3>{words(step)}</h3>
                <p>{detail}</p>
                {mend !== null && <p>{mend}</p>}
              </div>
            </li>
          ))}
        </ol>
      )}
    </form>
  );
};

const Checks = ({ setup: { problems, receivers } }: { setup: Setup }) => (
  <section class="card">
    <header>
      <h2 class="grow">Checks</h2>
    </header>
    <ul class="checks">
      {problems.length === 0 && (
        <li>
          <Icon name="ok" class="ok" />
          <div>
            <h3>Nothing is wrong</h3>
          </div>
        </li>
      )}
      {problems.map((problem) => (
        <li key={`${problem.code} ${problem.subject.id}`}>
          <Icon name="warn" class="warn" />
          <div>
            <h3>{words(problem.sentence, problem.subject.id)}</h3>
            <p>{words(problem.mend.text)}</p>
          </div>
        </li>
      ))}
      {receivers.map(({ process, version, readiness }) => (
        <li key={process}>
          <Icon name={readiness.ready ? 'ok' : 'dead'} class={readiness.ready ? 'ok' : 'bad'} />
          <div>
            <h3>
              {process} {readiness.ready ? 'takes callbacks' : 'takes no callbacks'}
            </h3>
            <p>
              version {version}, kept: {readiness.durability}
            </p>
          </div>
        </li>
      ))}
    </ul>
  </section>
);

export default SetupPage;
