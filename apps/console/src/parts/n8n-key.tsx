import { useState } from 'preact/hooks';
import { call } from '../session.ts';
import { wordsOf } from '../words.ts';
import { Copy } from './copy.tsx';
import { ShownOnce } from './shown-once.tsx';

/** No more than its trigger needs: to lease from the destinations that it makes for its workflows. */
const LEAST = { name: 'n8n', scopes: ['lease'], destinations: ['n8n-*'] } satisfies {
  name: string;
  scopes: 'lease'[];
  destinations: string[];
};

/** Makes the key of an n8n without a shell, and says where to paste it. */
export const N8nKey = () => {
  const [key, setKey] = useState<string>();
  const [error, setError] = useState<string>();
  const make = async (): Promise<void> => {
    setError(undefined);
    try {
      setKey((await call('POST /v1/keys', { body: LEAST })).key);
    } catch (refused) {
      setError(wordsOf(refused));
    }
  };
  return (
    <section class="card">
      <header>
        <h2 class="grow">Use it from n8n</h2>
        {key === undefined && (
          <button class="btn" type="button" onClick={make}>
            Make a key for n8n
          </button>
        )}
      </header>
      <div class="body stack">
        {error !== undefined && (
          <p role="alert" class="bad">
            {error}
          </p>
        )}
        {key === undefined ? (
          <p class="muted">
            The key may fetch events from destinations whose names begin with n8n-, which the trigger makes by itself,
            and nothing else.
          </p>
        ) : (
          <ol class="stack">
            <li>
              In n8n, add a credential of the type <b>Clickrelay API</b>.
            </li>
            <li>
              Paste this as its <b>API Key</b>: <ShownOnce text={key} label="key" />
            </li>
            <li>
              Paste this as its <b>Base URL</b>:
              <div class="paste">
                <code class="grow breaks">{location.origin}</code>
                <Copy text={location.origin} label="address" />
              </div>
              <span class="small muted">
                The address by which this page reaches Clickrelay. An n8n in a container or on another machine may need
                another one.
              </span>
            </li>
            <li>
              Save it: n8n tests it at once. Then choose the credential in the <b>Clickatell Trigger</b>.
            </li>
          </ol>
        )}
      </div>
    </section>
  );
};
