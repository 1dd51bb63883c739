import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { Ask } from '../parts/dialog.tsx';
import { Hex } from '../parts/hex.tsx';
import { Icon } from '../parts/icon.tsx';
import { say } from '../parts/live-region.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { call, may } from '../session.ts';
import { clockTime } from '../time.ts';
import { wordsOf } from '../words.ts';

/** One callback that could not be read: the complaint, and after a reveal its bytes. */
const QuarantinedPage = () => {
  const { id = '' } = useRoute().params;
  const { route } = useLocation();
  const [isRevealed, setRevealed] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const loaded = useLoad(`${id} ${isRevealed}`, (signal) =>
    call('GET /v1/quarantine/{id}', { path: { id }, query: { reveal: isRevealed ? 'true' : 'false' }, signal }),
  );
  const found = loaded.data;
  const run = async (what: () => Promise<string>): Promise<void> => {
    try {
      say(await what());
      route('/quarantine');
    } catch (error) {
      say(wordsOf(error));
    }
  };
  const reparse = (): Promise<void> =>
    run(async () => {
      const { accepted } = await call('POST /v1/quarantine/{id}/reparse', { path: { id } });
      return `It could be read: ${accepted} accepted`;
    });
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/quarantine">Quarantine</a> / {id}
          </p>
          <h1>{found === undefined ? 'Quarantined callback' : found.reason}</h1>
          {found !== undefined && (
            <p>
              {found.bytes.toLocaleString('en')} bytes, received {clockTime(found.receivedAt)}
            </p>
          )}
        </div>
        {may('admin') && (
          <>
            <button class="btn" type="button" onClick={reparse}>
              <Icon name="rep" />
              Parse again
            </button>
            <button class="btn danger" type="button" onClick={() => setAsked(true)}>
              Delete…
            </button>
          </>
        )}
      </div>
      {isAsked && (
        <Ask
          title="Delete this callback for good?"
          action="Delete it"
          isDanger
          onClose={() => setAsked(false)}
          onDo={async () => {
            await call('DELETE /v1/quarantine/{id}', { path: { id } });
            say('Deleted');
            route('/quarantine');
          }}
        >
          <p>It is kept nowhere else, and Clickatell does not send it again.</p>
        </Ask>
      )}
      <section class="card">
        <Failed loaded={loaded} />
        <header>
          <h2 class="grow">Bytes</h2>
          {may('reveal') && !isRevealed && (
            <button class="btn s" type="button" onClick={() => setRevealed(true)}>
              <Icon name="eye" />
              Reveal
            </button>
          )}
        </header>
        {found === undefined ? (
          loaded.error === undefined && <Skeleton />
        ) : found.body === null ? (
          <p class="body muted">Hidden: it may hold personal data. Revealing is written to the audit record.</p>
        ) : (
          <div class="body stack">
            <pre tabIndex={0}>{found.body.text}</pre>
            <Hex base64={found.body.base64} />
          </div>
        )}
      </section>
    </>
  );
};

export default QuarantinedPage;
