import { putDestination, readDestinationFacts } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { expect, it } from 'vitest';
import { useWorker } from './use-worker.ts';

const worker = useWorker();

it('when the certificate of a destination ends is kept, as the adapter saw it at a handshake', async () => {
  const endsAt = Date.parse('2027-01-01T00:00:00.000Z');
  await putDestination(worker.store, { id: 'crm', type: 'webhook', events: ['*'], paused: null, config: {} });
  await worker.start(
    {},
    {
      types: ['webhook'],
      open: (_type, _config, { onCertificate } = {}) => ({
        concurrency: 1,
        deliverer: {
          deliver: async () => {
            onCertificate?.(endsAt);
            return { status: 200, response: '' };
          },
          close: async () => {},
        },
      }),
    },
  );
  await worker.commit(sampleCallback('moText'));
  await worker.ingestIsEmpty();
  await worker.stop();
  expect(await readDestinationFacts(worker.store, Date.now())).toMatchObject([
    { id: 'crm', certificateEndsAt: endsAt, attempts: 1, everDelivered: true, firstAttempts: { ended: 1, failed: 0 } },
  ]);
});
