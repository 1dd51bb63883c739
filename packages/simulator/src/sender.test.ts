import { freePort } from '@clickrelay/service/machine';
import { type DestinationAnswer, startDestination } from '@clickrelay/testkit';
import { expect, test } from 'vitest';
import { sampleCallback, samples } from './samples.ts';
import { createSender, type SenderOptions } from './sender.ts';

const against = async (
  answer: DestinationAnswer,
  options: Omit<SenderOptions, 'url'>,
  use: (
    sender: ReturnType<typeof createSender>,
    receiver: Awaited<ReturnType<typeof startDestination>>,
  ) => Promise<void>,
): Promise<void> => {
  const receiver = await startDestination({ answer });
  const sender = createSender({ url: `${receiver.url}in/?token=s3cret`, startDelayMs: 5, ...options });
  try {
    await use(sender, receiver);
  } finally {
    await sender.close();
    await receiver.close();
  }
};

test('replies and statuses go to their own paths, with the headers and bytes of the documented requests', async () => {
  await against(200, { auth: { basic: { user: 'u', password: 'p' } } }, async (sender, receiver) => {
    expect(await sender.send(samples.status)).toMatchObject({ accepted: true, status: 200, tries: 1, answer: '' });
    await sender.send(samples.reply);
    await sender.send('not JSON at all');
    expect(receiver.requests.map(({ path }) => path)).toEqual([
      '/in/one-api-status?token=s3cret',
      '/in/one-api-reply?token=s3cret',
      '/in/one-api-reply?token=s3cret',
    ]);
    expect(receiver.requests[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      accept: '*/*',
      'content-length': '312',
      authorization: 'Basic dTpw',
    });
    expect(receiver.requests[2]?.body).toBe('not JSON at all');
  });
});

test.each([
  ['', '/client-callback/one-api-status'],
  ['client-callback/one-api-reply', '/client-callback/one-api-status'],
  ['one-api-status/', '/one-api-status'],
])('a URL that ends in /%s sends statuses to %s', async (path, expected) => {
  const receiver = await startDestination();
  const sender = createSender({
    url: `${receiver.url}${path}?token=t`,
    auth: { header: { name: 'x-secret', value: 'h' } },
  });
  await sender.send(samples.status);
  expect(receiver.requests[0]?.path).toBe(`${expected}?token=t`);
  expect(receiver.requests[0]?.headers['x-secret']).toBe('h');
  await sender.close();
  await receiver.close();
});

test('a single URL gets everything as it is', async () => {
  await against(200, { singleUrl: true }, async (sender, receiver) => {
    await sender.send(samples.status);
    expect(receiver.requests[0]?.path).toBe('/in/?token=s3cret');
  });
});

test('everything but a 2xx is sent again', async () => {
  const script = [401, 503, 'reset', 204] as const;
  await against(
    (_, index) => script[index] ?? 500,
    {},
    async (sender, receiver) => {
      expect(await sender.send(sampleCallback('moText'))).toMatchObject({ accepted: true, status: 204, tries: 4 });
      expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    },
  );
});

test('a redirect loses the callback at once, and tries are bounded', async () => {
  await against(308, {}, async (sender, receiver) => {
    expect(await sender.send(samples.status)).toMatchObject({ accepted: false, status: 308, tries: 1 });
    receiver.answerWith(500);
    expect(await sender.send(samples.status)).toMatchObject({ accepted: false, status: 500, tries: 5 });
    expect(receiver.requests.length).toBe(6);
  });
});

test('no answer is status 0, told with its cause', async () => {
  await against('hang', { tries: 2, timeoutMs: 50 }, async (sender) => {
    expect(await sender.send(samples.status)).toMatchObject({
      accepted: false,
      status: 0,
      tries: 2,
      answer: 'UND_ERR_HEADERS_TIMEOUT: Headers Timeout Error',
    });
  });
  const port = await freePort();
  const sender = createSender({ url: `http://127.0.0.1:${port}`, tries: 1 });
  expect((await sender.send(samples.status)).answer).toMatch(/^ECONNREFUSED/);
  await sender.close();
});

test('many callbacks: a share goes twice, order is lost within the window, the report adds up', async () => {
  await against(200, {}, async (sender, receiver) => {
    const envelopes = Array.from({ length: 200 }, (_, n) => sampleCallback('moText', { content: String(n) }));
    const seen: number[] = [];
    const report = await sender.sendMany(envelopes, {
      duplicate: 0.25,
      shuffle: 10,
      connections: 4,
      onResult: ({ status }) => seen.push(status),
    });
    const order = receiver.requests.map(({ body }) => Number(JSON.parse(body).event.moText[0].content));
    expect(new Set(order).size).toBe(200);
    expect(order.length).toBeGreaterThan(220);
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    expect(report).toMatchObject({ sent: order.length, accepted: order.length, resent: 0, lost: 0 });
    expect(report.statuses).toEqual({ 200: order.length });
    expect(seen.length).toBe(order.length);
    expect(report.p99).toBeGreaterThanOrEqual(report.p50);
    expect(report.p50).toBeGreaterThan(0);
  });
});

test('a rate is kept, and a signal stops it', async () => {
  await against(200, {}, async (sender) => {
    const report = await sender.sendMany(
      Array.from({ length: 11 }, () => samples.status),
      { ratePerSecond: 100 },
    );
    expect(report.sent).toBe(11);
    expect(report.durationMs).toBeGreaterThan(95);
    const stop = new AbortController();
    // A pause of the machine lets a rate catch up: what comes then is little beside these.
    const endless = Array.from({ length: 10_000 }, () => samples.status);
    const stopped = await sender.sendMany(endless, {
      ratePerSecond: 200,
      signal: stop.signal,
      onResult: () => stop.abort(),
    });
    expect(stopped.sent).toBeLessThan(200);
  });
});
