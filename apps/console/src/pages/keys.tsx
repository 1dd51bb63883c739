import type { Key } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLoad } from '../load.ts';
import { Copy } from '../parts/copy.tsx';
import { say } from '../parts/live-region.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { call, may, session } from '../session.ts';
import { wordsOf } from '../words.ts';

const SCOPES = ['read', 'reveal', 'replay', 'lease', 'admin'] as const;

/** Who may do what, and who did. */
const Keys = () => {
  const keys = useLoad('keys', (signal) => call('GET /v1/keys', { signal }));
  const audit = useLoad('audit', (signal) => call('GET /v1/audit', { query: { limit: 100 }, signal }));
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Keys and audit</h1>
          <p>Give each person and program a key of its own, with no more than it needs.</p>
        </div>
      </div>
      <div class="cols even">
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
          {may('admin') && <NewKey onMade={keys.reload} />}
        </section>
        <section class="card">
          <header>
            <h2>Audit record</h2>
          </header>
          <Failed loaded={audit} />
          {audit.data === undefined ? (
            audit.error === undefined && <Skeleton />
          ) : audit.data.items.length === 0 ? (
            <Empty title="Nobody changed or revealed anything yet" />
          ) : (
            <Table
              name="Audit record"
              rows={audit.data.items}
              keyOf={({ id }) => id}
              columns={[
                { head: 'When', cell: ({ at }) => <Time at={at} millis={false} /> },
                { head: 'Who', cell: ({ by }) => by },
                { head: 'What', cell: ({ action }) => action },
                { head: 'Of', class: 'mono', cell: ({ target }) => target },
              ]}
            />
          )}
        </section>
      </div>
    </>
  );
};

const KeyRow = ({ item: { id, name, scopes, destinations, createdAt }, onGone }: { item: Key; onGone: () => void }) => {
  const remove = async (): Promise<void> => {
    if (!confirm(`Remove the key ${name}? What uses it stops working at once.`)) return;
    try {
      await call('DELETE /v1/keys/{id}', { path: { id } });
      say(`The key ${name} is gone`);
    } catch (error) {
      say(wordsOf(error));
    }
    onGone();
  };
  return (
    <div class="notice">
      <div class="grow">
        <h3>{name}</h3>
        <p class="small muted">
          may {scopes.join(', ')}
          {destinations.length > 0 && `, for ${destinations.join(', ')}`}; made <Time at={createdAt} millis={false} />
        </p>
      </div>
      {may('admin') && (
        <button class="btn s danger" type="button" onClick={remove}>
          Remove…
        </button>
      )}
    </div>
  );
};

const NewKey = ({ onMade }: { onMade: () => void }) => {
  const [made, setMade] = useState<string>();
  const [error, setError] = useState<string>();
  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const scopes = SCOPES.filter((scope) => given.get(scope) !== null);
    setError(undefined);
    try {
      const { key } = await call('POST /v1/keys', { body: { name: String(given.get('name')).trim(), scopes } });
      setMade(key);
      onMade();
    } catch (refused) {
      setError(wordsOf(refused));
    }
  };
  const own = session.value?.scopes ?? [];
  return (
    <form class="body stack" onSubmit={make}>
      <h3>Make a key</h3>
      <label class="field">
        Name: who or what uses it
        <input name="name" required maxLength={100} placeholder="n8n" autocomplete="off" />
      </label>
      <fieldset class="chips">
        <legend class="sr">What it may do</legend>
        {SCOPES.filter((scope) => own.includes(scope)).map((scope) => (
          <label class="kind" key={scope}>
            <input type="checkbox" name={scope} checked={scope === 'read'} />
            {scope}
          </label>
        ))}
      </fieldset>
      {error !== undefined && (
        <p role="alert" class="bad">
          {error}
        </p>
      )}
      <button class="btn" type="submit">
        Make it
      </button>
      {made !== undefined && (
        <div role="status">
          <p class="small">This is shown once:</p>
          <div class="paste">
            <code class="grow clip">{made}</code>
            <Copy text={made} label="key" />
          </div>
        </div>
      )}
    </form>
  );
};

export default Keys;
