import { ApiError, type Destination } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso/router';
import { changesBetween, type Values, valuesOf } from '../destination-fields.ts';
import { useLoad } from '../load.ts';
import { DestinationForm, type Says, saysOf } from '../parts/destination-form.tsx';
import { Icon } from '../parts/icon.tsx';
import { say } from '../parts/live-region.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { call } from '../session.ts';

/** Changes the settings of a destination, unless somebody else has done so meanwhile. */
const EditDestination = () => {
  const { id = '' } = useRoute().params;
  const loaded = useLoad(id, (signal) => call('GET /v1/destinations/{id}', { path: { id }, signal }));
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/destinations">Destinations</a> / <a href={`/destinations/${id}`}>{id}</a> / settings
          </p>
          <h1>Settings of {id}</h1>
          <p>What waits already is sent as the settings say by then.</p>
        </div>
      </div>
      <Failed loaded={loaded} />
      {loaded.data === undefined ? loaded.error === undefined && <Skeleton /> : <Edit read={loaded.data} />}
    </>
  );
};

/** What somebody else changed while this form was open. */
interface Meanwhile {
  readonly theirs: Destination;
  readonly by: string | undefined;
}

const readMeanwhile = async (id: string): Promise<Meanwhile> => {
  const theirs = await call('GET /v1/destinations/{id}', { path: { id } });
  const record = await call('GET /v1/audit', { query: { target: id, action: 'destination.', limit: 1 } });
  return { theirs, by: record.items[0]?.by };
};

const Edit = ({ read }: { read: Destination }) => {
  const { route } = useLocation();
  const { id, type } = read;
  const [base, setBase] = useState(read);
  const [values, setValues] = useState<Values>(() => valuesOf(read));
  const [refused, setRefused] = useState<Says>({});
  const [meanwhile, setMeanwhile] = useState<Meanwhile>();
  const [isBusy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    const changes = changesBetween(type, valuesOf(base), values);
    if (Object.keys(changes).length === 0) return say('Nothing is changed');
    setBusy(true);
    setRefused({});
    try {
      const query = { revision: base.revision };
      await call('PATCH /v1/destinations/{id}', { path: { id }, query, body: changes });
      say(`${id} is changed: ${Object.keys(changes).join(', ')}`);
      route(`/destinations/${id}`);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'changed_meanwhile') setMeanwhile(await readMeanwhile(id));
      else setRefused(saysOf(error));
    }
    setBusy(false);
  };
  /** Theirs, with what was changed here on top. */
  const takeOver = ({ theirs }: Meanwhile): void => {
    const before = valuesOf(base);
    const own = Object.entries(values).filter(([name, value]) => (before[name] ?? '') !== value);
    setValues({ ...valuesOf(theirs), ...Object.fromEntries(own) });
    setBase(theirs);
    setMeanwhile(undefined);
  };
  return (
    <>
      {meanwhile !== undefined && <Changed base={base} meanwhile={meanwhile} onTake={() => takeOver(meanwhile)} />}
      <DestinationForm
        id={id}
        type={type}
        values={values}
        onChange={setValues}
        refused={refused}
        action="Save the changes"
        isBusy={isBusy}
        onSubmit={save}
      />
    </>
  );
};

interface ChangedProps {
  readonly base: Destination;
  readonly meanwhile: Meanwhile;
  readonly onTake: () => void;
}

const Changed = ({ base, meanwhile: { theirs, by }, onTake }: ChangedProps) => {
  const [was, is] = [valuesOf(base), valuesOf(theirs)];
  const names = Object.keys(is).filter((name) => was[name] !== is[name]);
  return (
    <section class="card" role="alert">
      <div class="notice">
        <Icon name="warn" class="warn" />
        <div class="grow">
          <h2>Nothing was saved: {by ?? 'somebody'} has changed these settings since you opened them</h2>
          <dl class="facts">
            {names.map((name) => (
              <>
                <dt key={`${name}-name`}>{name}</dt>
                <dd key={name} class="mono">
                  {was[name] || 'empty'} → {is[name] || 'empty'}
                </dd>
              </>
            ))}
          </dl>
        </div>
        <button class="btn" type="button" onClick={onTake}>
          Take theirs, keep mine on top
        </button>
      </div>
    </section>
  );
};

export default EditDestination;
