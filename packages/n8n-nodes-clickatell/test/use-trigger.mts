import type { IDataObject, ITriggerResponse, WorkflowActivateMode } from 'n8n-workflow';
import { afterEach, beforeEach } from 'vitest';
import { ClickatellTrigger } from '../nodes/ClickatellTrigger/ClickatellTrigger.node.ts';
import { type FakeOptions, type FakeRun, type FakeTrigger, fakeTrigger } from './fake-n8n.mts';
import { type FakeRelay, startFakeRelay } from './fake-relay.mts';

interface Setup {
  readonly parameters?: IDataObject;
  readonly mode?: 'trigger' | 'manual';
  readonly apiKey?: string;
  readonly baseUrl?: string;
  readonly activation?: WorkflowActivateMode;
  /** An n8n before 2.10. */
  readonly isOld?: boolean;
  readonly workflow?: FakeOptions['workflow'];
  readonly staticData?: IDataObject;
  readonly onRun?: (run: FakeRun) => void;
}

/** Starts a pretend relay for each test, and activates triggers against it. */
export const useTrigger = () => {
  let relay: FakeRelay;
  const open: ITriggerResponse[] = [];

  beforeEach(async () => {
    relay = await startFakeRelay();
  });
  afterEach(async () => {
    for (const response of open.splice(0)) await response.closeFunction?.();
    await relay.stop();
  });

  const activate = async ({
    parameters = {},
    mode = 'trigger',
    apiKey = 'crk_key',
    baseUrl = `${relay.url}/`,
    onRun,
    ...place
  }: Setup = {}): Promise<FakeTrigger & { readonly response: ITriggerResponse }> => {
    const credentials = { clickrelayApi: { baseUrl, apiKey } };
    const node = fakeTrigger({ parameters: { events: ['mo*'], ...parameters }, credentials, mode, ...place }, onRun);
    const response = await new ClickatellTrigger().trigger.call(node.functions);
    open.push(response);
    return { ...node, response };
  };

  const states = (): string[] => [...relay.deliveries.values()].map(({ state }) => state);
  const asked = (verb: string): IDataObject[] =>
    relay.asked.filter(({ path }) => path.endsWith(`/${verb}`)).map(({ body }) => body as IDataObject);

  return {
    get relay(): FakeRelay {
      return relay;
    },
    activate,
    states,
    asked,
  };
};
