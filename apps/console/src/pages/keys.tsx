import type { Key } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { AuditCard } from '../parts/audit-card.tsx';
import { Ask } from '../parts/dialog.tsx';
import { say } from '../parts/live-region.tsx';
import { NewKey } from '../parts/new-key.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { Time } from '../parts/time.tsx';
import { call, may } from '../session.ts';

/** Who may do what, and who did. */
const Keys = () => {
  const { lease } = useLocation().query as { lease?: string };
  const keys = useLoad('keys', (signal) => call('GET /v1/keys', { query: { limit: 500 }, signal }));
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Keys and audit</h1>
          <p>Give each person and program a key of its own, with no more than it needs.</p>
        </div>
      </div>
      <div class="cols side-first">
        <section class="card">
          <header>
            <h2>Keys</h2>
          </header>
          <Failed loaded={keys} />
          {keys.data === undefined ? (
            keys.error === undefined && <Skeleton />
          ) : keys.data.items.length === 0 ? (
            <Empty title="There is no key but API_KEY" />
          ) : (
            keys.data.items.map((key) => <KeyRow key={key.id} item={key} onGone={keys.reload} />)
          )}
          {may('admin') && <NewKey lease={lease} onMade={keys.reload} />}
        </section>
        <AuditCard />
      </div>
    </>
  );
};

const KeyRow = ({ item: { id, name, scopes, destinations, createdAt }, onGone }: { item: Key; onGone: () => void }) => {
  const [isAsked, setAsked] = useState(false);
  const does = `may ${scopes.join(', ')}${destinations.length > 0 ? ` from ${destinations.join(', ')}` : ''}`;
  return (
    <div class="notice">
      <div class="grow">
        <h3>{name}</h3>
        <p class="small muted">
          {does}; made <Time at={createdAt} millis={false} />
        </p>
      </div>
      {may('admin') && (
        <button class="btn s danger" type="button" aria-label={`Revoke the key ${name}`} onClick={() => setAsked(true)}>
          Revoke…
        </button>
      )}
      {isAsked && (
        <Ask
          title={`Revoke the key ${name}?`}
          action={`Revoke ${name}`}
          isDanger
          typed={name}
          onClose={() => setAsked(false)}
          onDo={async () => {
            await call('DELETE /v1/keys/{id}', { path: { id } });
            say(`The key ${name} is gone`);
            onGone();
          }}
        >
          <p>
            It {does}. What uses it is refused at once, and whoever is signed in with it is signed out. It cannot come
            back.
          </p>
        </Ask>
      )}
    </div>
  );
};

export default Keys;
