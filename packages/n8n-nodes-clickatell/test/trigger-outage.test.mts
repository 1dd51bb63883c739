import { fairNow, waitUntil } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { succeeded } from './fake-n8n.mts';
import { useTrigger } from './use-trigger.mts';

const trigger = useTrigger();
const { activate, states, asked } = trigger;

describe('while Clickrelay is away', () => {
  it('the trigger stays, says so once, and goes on within 10 seconds of its return', { timeout: 90_000 }, async () => {
    const { runs, logged, emittedErrors, failedExecutions } = await activate({ onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => asked('lease').length === 1);
    await trigger.relay.stop();
    trigger.relay.add();
    // Long enough for the pauses to have grown to their longest.
    await waitUntil(() => false, { timeoutMs: 8_000 }).catch(() => undefined);
    const back = fairNow();
    await trigger.relay.start();
    await waitUntil(() => runs.length === 1 && states()[0] === 'delivered');
    expect(fairNow() - back).toBeLessThan(12_000);
    expect(logged.filter(({ message }) => message.includes('does not answer'))).toHaveLength(1);
    expect(logged.some(({ message }) => message.includes('is back'))).toBe(true);
    expect([...emittedErrors, ...failedExecutions]).toEqual([]);
  });

  it('a workflow that ends meanwhile is acknowledged when it is back', async () => {
    const held = trigger.relay.add();
    const { runs } = await activate();
    await waitUntil(() => runs.length === 1);
    await trigger.relay.stop();
    runs[0]?.end(succeeded());
    await trigger.relay.start();
    await waitUntil(() => held.state === 'delivered');
    expect(runs).toHaveLength(1);
  });

  it('a connection that went dead without a sign is given up', async () => {
    let silent = true;
    trigger.relay.fault = ({ path }) => (silent && path.endsWith('/lease') ? 'silence' : undefined);
    const { runs } = await activate({ onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => asked('lease').length === 1);
    const back = fairNow();
    silent = false;
    trigger.relay.add();
    await waitUntil(() => runs.length === 1, { timeoutMs: 60_000 });
    // 7.3 s on a quiet machine.
    expect(fairNow() - back).toBeLessThan(20_000);
  });

  it('a destination that was removed is made again', async () => {
    const { runs } = await activate({ onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => asked('lease').length === 1);
    trigger.relay.destinations.clear();
    await trigger.relay.stop();
    await trigger.relay.start();
    trigger.relay.add();
    await waitUntil(() => runs.length === 1);
    expect(trigger.relay.destinations.size).toBe(1);
  });
});

describe('when Clickrelay refuses', () => {
  it('a failed execution says so once, the trigger stays active, and goes on when it is mended', async () => {
    const { runs, failedExecutions, emittedErrors } = await activate({ onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => asked('lease').length === 1);
    trigger.relay.fault = () => ({ status: 401, code: 'unauthorized' });
    await trigger.relay.stop();
    await trigger.relay.start();
    await waitUntil(() => asked('lease').length >= 4);
    expect(failedExecutions.map(({ message }) => message)).toEqual(['Clickrelay does not know this API key']);
    trigger.relay.fault = () => undefined;
    trigger.relay.add();
    await waitUntil(() => runs.length === 1);
    expect(emittedErrors).toEqual([]);
  });
});

describe('an n8n that cannot save failed executions', () => {
  it('says it in its log, and the trigger goes on', async () => {
    const { runs, logged } = await activate({ isOld: true, onRun: (run) => run.end(succeeded()) });
    await waitUntil(() => asked('lease').length === 1);
    trigger.relay.fault = () => ({ status: 401, code: 'unauthorized' });
    await trigger.relay.stop();
    await trigger.relay.start();
    await waitUntil(() => asked('lease').length >= 4);
    expect(logged).toContainEqual({
      level: 'error',
      message: 'Clickatell Trigger: Clickrelay does not know this API key',
    });
    trigger.relay.fault = () => undefined;
    trigger.relay.add();
    await waitUntil(() => runs.length === 1);
  });
});

describe('closing', () => {
  it('takes nothing more, and still acknowledges what ends later', async () => {
    const running = trigger.relay.add();
    const { runs, response } = await activate();
    await waitUntil(() => runs.length === 1);
    const began = fairNow();
    await response.closeFunction?.();
    expect(fairNow() - began).toBeLessThan(15_000);
    trigger.relay.add();
    runs[0]?.end(succeeded());
    await waitUntil(() => running.state === 'delivered');
    expect(runs).toHaveLength(1);
    expect(states()).toEqual(['delivered', 'waiting']);
  });

  it('is done at once when nothing runs, also in the middle of a long wait', async () => {
    const { response } = await activate();
    await waitUntil(() => asked('lease').length === 1);
    const began = fairNow();
    await response.closeFunction?.();
    expect(fairNow() - began).toBeLessThan(10_000);
  });
});
