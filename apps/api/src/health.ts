import { parseDuration, toIso } from '@clickrelay/core';
import { z } from 'zod';
import { nameOf } from './authenticate.ts';
import { RequestRefusedError } from './errors.ts';
import { grace } from './grace.ts';
import { operation } from './operation.ts';
import { condition, subject } from './schemas.ts';

const named = {
  code: z.string().max(64),
  subject: subject.describe('As `GET /v1/health` names it'),
};

const targetOf = ({ code, subject: { id } }: { code: string; subject: { id: string | null } }): string =>
  [code, id].filter((part) => part !== null).join(' ');

const notPresent = (target: string): RequestRefusedError =>
  new RequestRefusedError(
    404,
    'condition_not_present',
    `there is no condition ${target.slice(0, 120)} now; it may be over, see GET /v1/health`,
  );

export const healthOperations = [
  operation({
    method: 'get',
    path: '/v1/health',
    summary: 'Show what is wrong, and how to mend it',
    description: 'Judged every 5 seconds, by one API for all. Works while Redis is away, with `API_KEY`.',
    scopes: ['read'],
    isLocal: true,
    response: z
      .object({
        state: z
          .enum(['ok', 'unknown', 'warning', 'critical'])
          .describe('The worst of what is raised; `unknown` when nothing is, and something cannot be told'),
        checkedAt: z.string(),
        conditions: z.array(condition).describe('Raised, clearing, unknown, pending; of each the worst first'),
      })
      .meta({ id: 'Health' }),
    run: (_request, { health }) => health.current(),
  }),
  operation({
    method: 'post',
    path: '/v1/health/acknowledge',
    summary: 'Say that somebody knows of a condition',
    description: 'It stays listed, needs nobody and alerts nobody, until a time or until it ends.',
    scopes: ['admin'],
    body: z.strictObject({
      ...named,
      for: grace.nullable().default(null).describe('A duration, 30 days at most; null: until it ends'),
      note: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .nullable()
        .default(null)
        .describe('What others shall know, no personal data'),
    }),
    response: condition,
    errors: { 404: 'condition_not_present' },
    run: async ({ body }, { health }, { caller, audit }) => {
      const forMs = body.for === null ? undefined : parseDuration(body.for);
      const until = forMs === undefined ? null : toIso(Date.now() + forMs);
      const { note } = body;
      const found = await health.acknowledge(body, { by: nameOf(caller), until, note });
      const target = targetOf(body);
      if (found === undefined) throw notPresent(target);
      await audit('health.acknowledged', target, { until, ...(note !== null && { note }) });
      return found;
    },
  }),
  operation({
    method: 'post',
    path: '/v1/health/withdraw',
    summary: 'Take an acknowledgement back',
    description: 'The condition needs somebody again, and alerts.',
    scopes: ['admin'],
    body: z.strictObject(named),
    response: condition,
    errors: { 404: 'condition_not_present' },
    run: async ({ body }, { health }, { audit }) => {
      const found = await health.withdraw(body);
      const target = targetOf(body);
      if (found === undefined) throw notPresent(target);
      await audit('health.withdrawn', target);
      return found;
    },
  }),
];
