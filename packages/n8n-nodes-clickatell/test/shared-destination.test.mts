import { waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { succeeded } from './fake-n8n.mts';
import { useTrigger } from './use-trigger.mts';

const trigger = useTrigger();
const { activate } = trigger;

const orders = { workflow: { id: 'Orders1', name: 'Orders' } };
const support = { workflow: { id: 'Support1', name: 'Support' } };
const shared = (more = {}) => ({ options: { destinationId: 'bot', ...more } });
const settings = () => trigger.relay.destinations.get('bot');

describe('two workflows that name one destination', () => {
  it('share its events when their settings agree', async () => {
    const first = await activate({ ...orders, parameters: shared(), onRun: (run) => run.end(succeeded()) });
    const second = await activate({ ...support, parameters: shared(), onRun: (run) => run.end(succeeded()) });
    for (let count = 0; count < 3; count++) trigger.relay.add();
    await waitUntil(() => first.runs.length + second.runs.length === 3);
  });

  it('and differ: the second is refused, with the name of the first and what differs, and the first goes on', async () => {
    const first = await activate({ ...orders, parameters: shared(), onRun: (run) => run.end(succeeded()) });
    const refused = { events: ['moMedia'], ...shared({ filter: 'true' }) };
    const error = await activate({ ...support, parameters: refused }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: 'The destination “bot” has other settings already',
      description: expect.stringContaining(
        'the workflow “Orders” uses it with other settings: Events is mo* there, and moMedia here; Filter is not set there, and true here',
      ),
    });
    expect(settings()).toEqual({ type: 'pull', events: ['mo*'] });
    trigger.relay.add();
    await waitUntil(() => first.runs.length === 1);
  });

  it('may differ one after the other, once the first is gone with its destination', async () => {
    const { response } = await activate({ ...orders, parameters: shared() });
    await response.closeFunction?.();
    trigger.relay.destinations.clear();
    await activate({ ...support, parameters: { events: ['moMedia'], ...shared() } });
    expect(settings()).toMatchObject({ events: ['moMedia'] });
  });

  it('is refused where somebody else made it, such as another n8n', async () => {
    trigger.relay.destinations.set('bot', { type: 'pull', events: ['moMedia'] });
    await expect(activate({ parameters: shared() })).rejects.toThrow(
      'The destination “bot” has other settings already',
    );
    expect(settings()).toEqual({ type: 'pull', events: ['moMedia'] });
  });
});

describe('a workflow that is published with other settings', () => {
  it('changes the destination that it made itself, by name', async () => {
    const staticData = {};
    const { response } = await activate({ ...orders, staticData, parameters: shared() });
    await response.closeFunction?.();
    await activate({ ...orders, staticData, parameters: { events: ['moMedia'], ...shared() } });
    expect(settings()).toEqual({ type: 'pull', events: ['moMedia'] });
  });

  it('does not when somebody changed it since', async () => {
    const staticData = {};
    const { response } = await activate({ ...orders, staticData, parameters: shared() });
    await response.closeFunction?.();
    trigger.relay.destinations.set('bot', { type: 'pull', events: ['moText'] });
    await expect(activate({ ...orders, staticData, parameters: { events: ['moMedia'], ...shared() } })).rejects.toThrow(
      'has other settings already',
    );
    expect(settings()).toEqual({ type: 'pull', events: ['moText'] });
  });

  it('changes the one that was made for it alone', async () => {
    const { response } = await activate({ ...orders });
    await response.closeFunction?.();
    await activate({ ...orders, parameters: { events: ['moMedia'] } });
    expect([...trigger.relay.destinations]).toEqual([
      ['n8n-a1b2c3d4-orders1-b0fe5b4e', { type: 'pull', events: ['moMedia'] }],
    ]);
  });
});
