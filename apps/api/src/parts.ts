import { listParts, type Part, type ReceiverPart } from '@clickrelay/queue';
import { z } from 'zod';
import { operation } from './operation.ts';
import { durabilityReport } from './schemas.ts';

const common = {
  process: z.string().describe('`host:pid`'),
  at: z
    .string()
    .describe('When it last reported, by the clock of Redis; one that is gone is left out after 16 seconds'),
  hostName: z.string().describe('Its machine'),
  version: z.string(),
  startedAt: z.string(),
  storeId: z.string().nullable().describe('The store that it works with; null before it has seen one'),
  roundTripMs: z.number().describe('To Redis and back'),
  clockOffsetMs: z.int().describe('Its clock minus that of Redis'),
  clockJumpMs: z.int().describe('How far its clock jumped between two reports, at most, in the last minute'),
  eventLoop: z.number().describe('The share of the time since its last report in which it was busy, 0 to 1'),
  disks: z.array(
    z.object({
      of: z.enum(['spool', 'data']).describe('What lies there: the spool, or `DATA_DIR`'),
      freeBytes: z.int(),
      totalBytes: z.int(),
      neededBytes: z.int().describe('How far the spool may grow, or what a rewrite of our own Redis needs'),
    }),
  ),
  settings: z
    .record(z.string(), z.string())
    .describe('A short hash of each setting in which the parts of a role must agree'),
};

const part = z.discriminatedUnion('role', [
  z.object({
    role: z.literal('receiver'),
    ...common,
    host: z.string(),
    port: z.int(),
    readiness: durabilityReport,
    spool: z
      .object({
        callbacks: z.int().describe('Callbacks that wait for Redis'),
        bytes: z.int(),
        maxBytes: z.int(),
        oldestAt: z.string().nullable().describe('When the oldest of them came; null when none waits'),
        setAside: z.int().describe('Files that a person has to look at'),
        refusing: z.string().nullable().describe('Why a callback sent now would not be taken; null when it would'),
      })
      .nullable()
      .describe('What waits on its disk; null without a spool'),
    commitP99Ms: z.number().nullable().describe('Of the last minute; null without any commit'),
  }),
  z.object({
    role: z.literal('worker'),
    ...common,
    adapters: z.array(z.string()).describe('The types of destinations that it delivers to'),
    unopened: z
      .array(z.object({ destinationId: z.string(), code: z.string() }))
      .describe('Destinations that it could not open, and why: their events wait'),
  }),
  z.object({ role: z.literal('api'), ...common, publicUrl: z.string().nullable() }),
]);

export const partOperations = [
  operation({
    method: 'get',
    path: '/v1/parts',
    summary: 'List the processes that work with this Redis, and how each is',
    scopes: ['read'],
    response: z.object({ items: z.array(part) }).meta({ id: 'Parts' }),
    run: async (_request, { store }) => ({ items: (await listParts(store)).map(describe) }),
  }),
];

const describeSpool = (spool: ReceiverPart['readiness']['spool']) => {
  if (spool === undefined) return null;
  const { records, bytes, maxBytes, oldestAt, setAside, refusing } = spool;
  return { callbacks: records, bytes, maxBytes, oldestAt, setAside, refusing };
};

const describe = (one: Part): z.input<typeof part> => {
  const { process, at, hostName, version, startedAt, storeId, roundTripMs, clockOffsetMs, clockJumpMs, eventLoop } =
    one;
  const measured = { roundTripMs, clockOffsetMs, clockJumpMs, eventLoop };
  const disks = one.disks.map((disk) => ({ ...disk }));
  const every = {
    process,
    at,
    hostName,
    version,
    startedAt,
    storeId,
    ...measured,
    disks,
    settings: { ...one.settings },
  };
  switch (one.role) {
    case 'receiver': {
      const { host, port, commitP99Ms } = one;
      const { spool, problems, ...readiness } = one.readiness;
      const report = { ...readiness, problems: [...problems] };
      return { role: one.role, ...every, host, port, readiness: report, spool: describeSpool(spool), commitP99Ms };
    }
    case 'worker':
      return { role: one.role, ...every, adapters: [...one.adapters], unopened: one.unopened.map((it) => ({ ...it })) };
    case 'api':
      return { role: one.role, ...every, publicUrl: one.publicUrl };
  }
};
