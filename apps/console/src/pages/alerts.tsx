import type { AlertChannel } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLoad } from '../load.ts';
import { AlertForm } from '../parts/alert-form.tsx';
import { Ask } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { say } from '../parts/live-region.tsx';
import { Empty, Failed, ListCard, Skeleton } from '../parts/page-state.tsx';
import { State } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import { call, may } from '../session.ts';
import { ago } from '../time.ts';
import { wordsOf } from '../words.ts';

const LOOK_MS = 10_000;

/** Who is told when something is wrong, and what was told? */
const AlertsPage = () => {
  const channels = useLoad('channels', (signal) => call('GET /v1/alerts/channels', { signal }), { everyMs: LOOK_MS });
  const sent = useLoad('sent', (signal) => call('GET /v1/alerts', { query: { limit: 100 }, signal }), {
    everyMs: LOOK_MS,
  });
  const [edited, setEdited] = useState<AlertChannel | 'new'>();
  const reload = (): void => {
    channels.reload();
    sent.reload();
  };
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Alerts</h1>
          <p>Who is told when something needs a person, and what was told.</p>
        </div>
        {may('admin') && (
          <button class="btn primary" type="button" onClick={() => setEdited('new')}>
            <Icon name="plus" />
            New channel
          </button>
        )}
      </div>
      <section class="card">
        <header>
          <h2>Channels</h2>
        </header>
        <Failed loaded={channels} />
        {channels.data === undefined ? (
          channels.error === undefined && <Skeleton rows={2} />
        ) : channels.data.items.length === 0 ? (
          <Empty title="Nobody is told yet">
            <p>Add a channel: Slack, Teams, Discord, or a webhook of yours.</p>
          </Empty>
        ) : (
          channels.data.items.map((one) => (
            <Channel key={one.id} channel={one} onEdit={() => setEdited(one)} onChange={reload} />
          ))
        )}
      </section>
      {edited !== undefined && (
        <AlertForm
          key={edited === 'new' ? '' : edited.id}
          channel={edited === 'new' ? undefined : edited}
          onClose={() => {
            setEdited(undefined);
            reload();
          }}
        />
      )}
      <h2 class="apart">What was sent</h2>
      <ListCard loaded={sent} empty="No alert was sent yet">
        {(items) => (
          <section class="scroll" tabIndex={0} aria-label="List of alerts">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Channel</th>
                  <th scope="col">What</th>
                  <th scope="col">Condition</th>
                  <th scope="col">Taken</th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ id, at, channelId, what, code, severity, subject, error, tries }) => (
                  <tr key={`${id} ${channelId} ${code} ${subject.id}`}>
                    <td>
                      <Time at={at} millis={false} />
                    </td>
                    <td>{channelId}</td>
                    <td>{what}</td>
                    <td>
                      <State name={severity}>
                        {code.replaceAll('_', ' ')} {subject.id}
                      </State>
                    </td>
                    <td>
                      <State name={error === null ? 'delivered' : 'dead'}>
                        {error === null ? 'taken' : error.replaceAll('_', ' ')}
                      </State>
                      {tries > 1 && <span class="muted"> at try {tries}</span>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </ListCard>
    </>
  );
};

interface ChannelProps {
  readonly channel: AlertChannel;
  readonly onEdit: () => void;
  readonly onChange: () => void;
}

const Channel = ({ channel, onEdit, onChange }: ChannelProps) => {
  const { id, type, severities, codes, quiet, failing } = channel;
  const [isAsked, setAsked] = useState(false);
  const [result, setResult] = useState<string>();
  const test = async (): Promise<void> => {
    try {
      const { delivered, error, note } = await call('POST /v1/alerts/channels/{id}/test', { path: { id } });
      setResult(
        [delivered ? 'It took the test' : `It did not take the test: ${error}`, note].filter(Boolean).join('; '),
      );
    } catch (refused) {
      setResult(wordsOf(refused));
    }
    onChange();
  };
  return (
    <div class="notice">
      <div class="grow">
        <h3>
          {id} <span class="tag">{type}</span>{' '}
          {failing !== null && (
            <State name="failing">
              takes nothing since {ago(failing.since)}: {failing.code}
            </State>
          )}
        </h3>
        <p class="small muted">
          told what is {severities.join(' or ')}
          {codes.includes('*') ? '' : `: ${codes.join(', ')}`}
          {quiet !== null && `; quiet from ${quiet.from} to ${quiet.to} (${quiet.timeZone})`}
        </p>
        {result !== undefined && (
          <p class="small" role="status">
            {result}
          </p>
        )}
      </div>
      {may('admin') && (
        <div class="chips">
          <button class="btn s" type="button" onClick={test}>
            Send a test
          </button>
          <button class="btn s" type="button" onClick={onEdit}>
            Change
          </button>
          <button
            class="btn s danger"
            type="button"
            aria-label={`Remove the channel ${id}`}
            onClick={() => setAsked(true)}
          >
            Remove…
          </button>
        </div>
      )}
      {isAsked && (
        <Ask
          title={`Remove the channel ${id}?`}
          action={`Remove ${id}`}
          isDanger
          onClose={() => setAsked(false)}
          onDo={async () => {
            await call('DELETE /v1/alerts/channels/{id}', { path: { id } });
            say(`${id} is told nothing any more`);
            onChange();
          }}
        >
          <p>It is told nothing any more, and its address is forgotten.</p>
        </Ask>
      )}
    </div>
  );
};

export default AlertsPage;
