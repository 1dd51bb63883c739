import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { failed, stopped, succeeded } from './fake-n8n.mts';
import { anEvent } from './fake-relay.mts';
import { useTrigger } from './use-trigger.mts';

const trigger = useTrigger();
const { activate, states, asked } = trigger;

describe('activation', () => {
  it('makes the destination with what was chosen, under a name of its own, with the key', async () => {
    await activate({
      parameters: {
        events: ['moText', 'messageStatusUpdate'],
        statusClasses: ['failed'],
        options: { channels: ['whatsapp', 'sms'] },
      },
    });
    expect(trigger.relay.asked[0]).toEqual({
      method: 'PUT',
      path: '/v1/destinations/n8n-a1b2c3d4-wfabc123-b0fe5b4e',
      authorization: 'Bearer crk_key',
      body: {
        type: 'pull',
        events: ['moText', 'messageStatusUpdate'],
        channels: ['whatsapp', 'sms'],
        classes: ['failed'],
      },
    });
  });

  it('hands the filter to Clickrelay', async () => {
    const filter = "event.data.text.contains('STOP')";
    await activate({ parameters: { options: { filter } } });
    expect(trigger.relay.asked[0]?.body).toMatchObject({ filter });
  });

  it('asks Clickrelay to keep the order of each conversation when that was chosen, and says nothing of it otherwise', async () => {
    await activate({ parameters: { options: { keepOrder: true } } });
    expect(trigger.relay.asked[0]?.body).toEqual({ type: 'pull', events: ['mo*'], ordering: 'conversation' });
    await activate({ parameters: { options: { keepOrder: false, destinationId: 'support-bot' } } });
    const declared = trigger.relay.asked.find(({ path }) => path.startsWith('/v1/destinations/support-bot'));
    expect(declared?.body).toEqual({ type: 'pull', events: ['mo*'] });
  });

  it('wants messages only, unless told otherwise', async () => {
    await activate({ parameters: { events: undefined } });
    expect(trigger.relay.asked[0]?.body).toEqual({ type: 'pull', events: ['mo*'] });
  });

  it('uses the name that was set, and refuses one that Clickrelay cannot have', async () => {
    await activate({ parameters: { options: { destinationId: 'support-bot' } } });
    expect(trigger.relay.asked[0]?.path).toBe('/v1/destinations/support-bot?onlyNew=true');
    await expect(activate({ parameters: { options: { destinationId: 'Support Bot' } } })).rejects.toThrow(
      'The destination cannot have this name',
    );
  });

  it('fails for a key that Clickrelay does not know or that may not lease, saying what to do', async () => {
    trigger.relay.fault = () => ({ status: 401, code: 'unauthorized' });
    await expect(activate()).rejects.toThrow('Clickrelay does not know this API key');
    trigger.relay.fault = () => ({ status: 403, code: 'forbidden_scope' });
    const error = await activate().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'This API key may not lease from "n8n-a1b2c3d4-wfabc123-b0fe5b4e"' });
    expect((error as { description: string }).description).toContain('clickrelay keys create');
  });

  it('succeeds while Clickrelay is away, and makes the destination when it is back', async () => {
    await trigger.relay.stop();
    const { runs, emittedErrors } = await activate({ onRun: (run) => run.end(succeeded()) });
    trigger.relay.add();
    await trigger.relay.start();
    await waitUntil(() => runs.length === 1 && states()[0] === 'delivered');
    expect(trigger.relay.destinations.has('n8n-a1b2c3d4-wfabc123-b0fe5b4e')).toBe(true);
    expect(emittedErrors).toEqual([]);
  });

  it('leaves the destination where it is when deactivated', async () => {
    const { response } = await activate();
    await response.closeFunction?.();
    expect(trigger.relay.asked.map(({ method }) => method)).not.toContain('DELETE');
    expect(trigger.relay.destinations.size).toBe(1);
  });
});

describe('an event', () => {
  it('starts the workflow with a flat item, and is acknowledged when it has succeeded, not before', async () => {
    const held = trigger.relay.add(anEvent('Is my order on its way?'));
    const { runs } = await activate();
    await waitUntil(() => runs.length === 1);
    expect(runs[0]?.item.json).toMatchObject({
      eventId: held.event.id,
      text: 'Is my order on its way?',
      type: 'moText',
      from: '2799900001',
      attempt: 1,
      test: false,
    });
    expect(runs[0]?.deduplicationKey).toBeUndefined();
    expect(asked('ack')).toEqual([]);
    runs[0]?.end(succeeded());
    await waitUntil(() => held.state === 'delivered');
  });

  it('counts as done in queue mode, where a run comes back without data', async () => {
    const held = trigger.relay.add();
    await activate({ onRun: (run) => run.end({ status: 'success' }) });
    await waitUntil(() => held.state === 'delivered');
  });

  it('counts as done when its workflow waits: n8n keeps it from here', async () => {
    const held = trigger.relay.add();
    await activate({ onRun: (run) => run.end({ status: 'waiting' }) });
    await waitUntil(() => held.state === 'delivered');
  });

  it('is tried again when its workflow failed, and is a dead letter after the last try, with the error', async () => {
    const held = trigger.relay.add();
    const { runs, emittedErrors, failedExecutions } = await activate({
      onRun: (run) => run.end(failed('no such customer')),
    });
    await waitUntil(() => held.state === 'dead_letter');
    expect(runs.map(({ item }) => item.json['attempt'])).toEqual([1, 2, 3]);
    expect(held.errors).toEqual(Array(3).fill('the workflow failed in "Some Node": no such customer'));
    expect([...emittedErrors, ...failedExecutions]).toEqual([]);
  });

  it('is a dead letter at once where that was chosen', async () => {
    const held = trigger.relay.add();
    const { runs } = await activate({ parameters: { onFailure: 'deadLetter' }, onRun: (run) => run.end(failed('x')) });
    await waitUntil(() => held.state === 'dead_letter');
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['n8n starts nothing', undefined, 'n8n did not start the workflow'],
    ['n8n rejects it', new Error('the database is locked'), 'the database is locked'],
    ['its time is up', stopped('timeout'), 'the workflow failed in "Some Node": The execution was cancelled'],
    ['n8n shuts down', stopped('shutdown'), 'the workflow failed in "Some Node": The execution was cancelled'],
    ['it crashes in queue mode', { status: 'crashed' as const }, 'the workflow ended as crashed'],
  ])('is given back when %s', async (_what, end, error) => {
    const held = trigger.relay.add();
    let first = true;
    await activate({
      onRun: (run) => {
        run.end(first ? end : succeeded());
        first = false;
      },
    });
    await waitUntil(() => held.state === 'delivered');
    expect(held.errors).toEqual([error]);
  });

  it.each([
    ['in one process', stopped('manual')],
    ['in queue mode, where no error comes back', { status: 'canceled' as const }],
  ])('is a dead letter when somebody stops its workflow, %s', async (_what, end) => {
    const held = trigger.relay.add();
    const { runs } = await activate({ onRun: (run) => run.end(end) });
    await waitUntil(() => held.state === 'dead_letter');
    expect(held.errors).toEqual(['somebody stopped the workflow']);
    expect(runs).toHaveLength(1);
  });

  it.each([
    ['three times unless told otherwise', {}, 3],
    ['as often as was chosen', { mostTries: 2 }, 2],
  ])('whose workflow fails is tried %s', async (_what, parameters, tries) => {
    trigger.relay.maxAttempts = 10;
    const held = trigger.relay.add();
    const { runs } = await activate({ parameters, onRun: (run) => run.end(failed('x')) });
    await waitUntil(() => held.state === 'dead_letter');
    expect(runs).toHaveLength(tries);
  });

  it('is given back when its workflow never ends, and its slot with it', async () => {
    const stuck = trigger.relay.add();
    trigger.relay.maxAttempts = 1;
    const { runs } = await activate({ parameters: { options: { concurrency: 1, timeLimitMinutes: 1 / 60 } } });
    await waitUntil(() => stuck.state === 'dead_letter');
    expect(stuck.errors).toEqual(['the workflow did not end within 1 s, the limit set in the trigger']);
    trigger.relay.add();
    await waitUntil(() => runs.length === 2);
  });

  it('is acknowledged when its workflow failed, where every end counts', async () => {
    const held = trigger.relay.add();
    await activate({ parameters: { acknowledge: 'end' }, onRun: (run) => run.end(failed('x')) });
    await waitUntil(() => held.state === 'delivered');
  });

  it('is acknowledged before its workflow starts, where it must not come twice', async () => {
    const held = trigger.relay.add();
    let stateAtStart: string | undefined;
    const { runs } = await activate({
      parameters: { acknowledge: 'start' },
      onRun: () => {
        stateAtStart = held.state;
      },
    });
    await waitUntil(() => runs.length === 1);
    expect(stateAtStart).toBe('delivered');
  });

  it('that is older than was chosen is acknowledged without a run, and logged', async () => {
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const old = trigger.relay.add({ ...anEvent('old'), occurredAt: ago(61) });
    const fresh = trigger.relay.add({ ...anEvent('fresh'), occurredAt: ago(59) });
    const parameters = { options: { oldestMinutes: 60 } };
    const { runs, logged } = await activate({ parameters, onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => old.state === 'delivered' && fresh.state === 'delivered');
    expect(runs.map(({ item }) => item.json['text'])).toEqual(['fresh']);
    expect(logged.map(({ message }) => message)).toContain(
      'Clickatell Trigger: an event is too old, and done without a run; 1 so far',
    );
    expect(asked('nack')).toEqual([]);
  });

  it('waits in Clickrelay while as many run as may', async () => {
    for (let count = 0; count < 7; count++) trigger.relay.add();
    const { runs } = await activate({ parameters: { options: { concurrency: 3 } } });
    await waitUntil(() => runs.length === 3);
    expect(asked('lease').map(({ max }) => max)).toEqual([3]);
    runs[1]?.end(succeeded());
    await waitUntil(() => runs.length === 4);
    expect(states().filter((state) => state === 'leased')).toHaveLength(3);
  });
});

describe('listening for a test event', () => {
  it('shows the event that waits, marked as a test, and takes nothing', async () => {
    trigger.relay.destinations.set('n8n-a1b2c3d4-wfabc123-b0fe5b4e', { type: 'pull', events: ['moText'] });
    const held = trigger.relay.add(anEvent('test me'));
    const { runs, response } = await activate({ mode: 'manual' });
    await response.manualTriggerFunction?.();
    expect(runs.map(({ item }) => item.json)).toEqual([
      expect.objectContaining({ text: 'test me', test: true, eventId: held.event.id }),
    ]);
    expect(trigger.relay.asked.map(({ method, path }) => `${method} ${path.split('/').pop()}`)).toEqual([
      'GET peek?limit=1&recent=true',
    ]);
    expect(held.state).toBe('waiting');
  });

  it('shows a sample before the first activation, and makes no destination that would collect events', async () => {
    const { runs, response } = await activate({ mode: 'manual', parameters: { events: ['messageStatusUpdate'] } });
    await response.manualTriggerFunction?.();
    expect(runs[0]?.item.json).toMatchObject({ type: 'messageStatusUpdate', status: 'DEVICE_ACK', test: true });
    expect(trigger.relay.destinations.size).toBe(0);
  });

  it('waits for one, and stops when the test is cancelled', async () => {
    trigger.relay.destinations.set('n8n-a1b2c3d4-wfabc123-b0fe5b4e', { type: 'pull', events: ['mo*'] });
    const { runs, response } = await activate({ mode: 'manual' });
    const listening = response.manualTriggerFunction?.();
    await waitUntil(() => trigger.relay.asked.length === 1);
    await response.closeFunction?.();
    await listening;
    expect(runs).toEqual([]);
  });

  it('says what is wrong with the credential', async () => {
    trigger.relay.fault = () => ({ status: 401, code: 'unauthorized' });
    const { response } = await activate({ mode: 'manual' });
    await expect(response.manualTriggerFunction?.()).rejects.toThrow('Clickrelay does not know this API key');
  });
});
