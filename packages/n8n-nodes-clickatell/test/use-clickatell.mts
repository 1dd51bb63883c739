import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { splitCallback } from '@clickrelay/core';
import type { IDataObject, INode, INodeExecutionData, WorkflowExecuteMode } from 'n8n-workflow';
import { afterEach, beforeEach } from 'vitest';
import { Clickatell } from '../nodes/Clickatell/Clickatell.node.ts';
import { type Circumstances, toItem } from '../nodes/shared/item.ts';
import { fakeExecute } from './fake-n8n.mts';
import { type FakeRelay, startFakeRelay } from './fake-relay.mts';
import type { RanBefore } from './run-before.mts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // Tests look at whatever came.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

/** What the pretend Clickatell answers to a request. */
export interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly bytes?: Buffer;
  readonly headers?: Record<string, string>;
}

/** Accepts every message, as Clickatell does. */
export const accept = ({ body }: Asked): Reply => ({
  status: 202,
  body: {
    messages: body.messages.map((message: IDataObject, at: number) => ({
      apiMessageId: `api-${at}-${message['to']}`,
      accepted: true,
      to: message['to'],
      clientMessageId: message['clientMessageId'],
      error: null,
    })),
    error: null,
  },
});

/** Starts a pretend Clickatell for each test, and runs the node against it. */
export const useClickatell = () => {
  let server: Server;
  const clickatell = {
    baseUrl: '',
    /** The requests of this test. */
    asked: [] as Asked[],
    /** Where the node notes what was sent. */
    relay: undefined as unknown as FakeRelay,
    /** Decides what a request is answered; `accept` unless the test says otherwise. */
    reply: accept as (one: Asked) => Reply,
    /** Cuts every connection. */
    cut: (): void => server.closeAllConnections(),
    /** A message of a request, by default the first. */
    sent: (at = 0) => clickatell.asked[at]?.body.messages[0],
    run: async (
      operation: string,
      parameters: IDataObject,
      { withoutClickrelay = false, node, ...options }: Run = {},
    ): Promise<INodeExecutionData[]> => {
      const [resource, name] = operation.split('.');
      const functions = fakeExecute({
        parameters: { resource, operation: name, channel: 'whatsapp', to: '27999900001', ...parameters },
        credentials: {
          clickatellApi: { apiKey: 'the-key', baseUrl: clickatell.baseUrl },
          clickrelayApi: { apiKey: 'crk_key', baseUrl: clickatell.relay.url },
        },
        node: {
          ...node,
          ...(!withoutClickrelay && { credentials: { clickrelayApi: { id: '1', name: 'Clickrelay' } } }),
        },
        ...options,
      });
      const [items = []] = await new Clickatell().execute.call(functions);
      return items;
    },
  };

  beforeEach(async () => {
    clickatell.asked = [];
    clickatell.reply = accept;
    clickatell.relay = await startFakeRelay();
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const isJson = request.headers['content-type']?.includes('json');
      const one = {
        method: String(request.method),
        path: String(request.url),
        headers: request.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
      };
      clickatell.asked.push(one);
      const { status = 200, body, bytes, headers = {} } = clickatell.reply(one);
      response.writeHead(status, {
        'content-type': bytes ? 'application/octet-stream' : 'application/json',
        ...headers,
      });
      response.end(bytes ?? JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    clickatell.baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await clickatell.relay.stop();
  });
  return clickatell;
};

interface Run {
  readonly items?: INodeExecutionData[];
  readonly before?: readonly RanBefore[];
  readonly mode?: WorkflowExecuteMode;
  readonly runIndex?: number;
  readonly node?: Partial<INode>;
  /** The node has no Clickrelay credential. */
  readonly withoutClickrelay?: boolean;
  readonly continueOnFail?: boolean;
  readonly perItem?: (item: INodeExecutionData) => IDataObject;
}

/** The item that the trigger makes of an event of a callback. */
export const eventItem = (callback: unknown, how: Partial<Circumstances> = {}): INodeExecutionData => {
  const [logged] = splitCallback(JSON.stringify(callback), new Date().toISOString());
  return toItem((logged as { event: Parameters<typeof toItem>[0] }).event, { attempt: 1, ...how });
};
/** The error of a run that must fail. */
export const rejection = async (promise: Promise<unknown>) =>
  (await promise.catch((error: unknown) => error)) as Error & { description: string };
