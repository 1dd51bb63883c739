import type { DestinationDeclaration } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { declarationOf, type Values } from '../destination-fields.ts';
import { DestinationForm, type Says, saysOf } from '../parts/destination-form.tsx';
import { Field } from '../parts/field.tsx';
import { say } from '../parts/live-region.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { call } from '../session.ts';

const KINDS = [
  ['webhook', 'Webhook: events are sent to a URL'],
  ['pull', 'Pull: a program fetches them'],
  ['', 'An adapter of your own'],
] as const;

/** Makes a destination. Its signing secret is shown once, here. */
const NewDestination = () => {
  const { route } = useLocation();
  const [id, setId] = useState('');
  const [kind, setKind] = useState('webhook');
  const [adapter, setAdapter] = useState('');
  const [values, setValues] = useState<Values>({});
  const [refused, setRefused] = useState<Says>({});
  const [isBusy, setBusy] = useState(false);
  const [secret, setSecret] = useState<string>();
  const type = kind === '' ? adapter : kind;
  const make = async (): Promise<void> => {
    setBusy(true);
    setRefused({});
    try {
      if (id === '') throw new Error('a destination needs a name: lower-case letters, digits and -');
      const body = declarationOf(type, values) as DestinationDeclaration;
      const made = await call('PUT /v1/destinations/{id}', { path: { id }, query: { onlyNew: 'true' }, body });
      say(`${id} is there: it gets every event that comes from now on, and that it wants`);
      if (made.secret === undefined || made.secret === '(hidden)') route(`/destinations/${id}`);
      else setSecret(made.secret);
    } catch (error) {
      setRefused(saysOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/destinations">Destinations</a> / new
          </p>
          <h1>New destination</h1>
          <p>It gets the events that come from now on. Older ones are sent by a replay.</p>
        </div>
      </div>
      {secret === undefined ? (
        <DestinationForm
          key={type}
          id={id}
          type={type}
          values={values}
          onChange={setValues}
          refused={refused}
          action={id === '' ? 'Make it' : `Make ${id}`}
          isBusy={isBusy}
          onSubmit={make}
        >
          <div class="body fields">
            <Field
              label="Name"
              value={id}
              onChange={(text) => setId(text.trim())}
              placeholder="crm"
              hint="Lower-case letters, digits and -; it stays so"
              error={refused['id']}
            />
            <Field label="Kind" value={kind} onChange={setKind} choices={KINDS} error={refused['type']} />
            {kind === '' && (
              <Field label="Name of the adapter" value={adapter} onChange={setAdapter} hint="As ADAPTERS loads it" />
            )}
          </div>
        </DestinationForm>
      ) : (
        <section class="card">
          <div class="body stack">
            <h2>{id} is there</h2>
            <ShownOnce text={secret} label="signing secret" />
            <p class="muted">Its receiver checks with it that a request comes from this Clickrelay.</p>
            <a class="btn primary" href={`/destinations/${id}`}>
              Go to {id}
            </a>
          </div>
        </section>
      )}
    </>
  );
};

export default NewDestination;
