import { parseDuration, toIso } from '@clickrelay/core';
import { z } from 'zod';
import { nameOf } from './authenticate.ts';
import { RequestRefusedError } from './errors.ts';
import { grace } from './grace.ts';
import { operation } from './operation.ts';
import { condition, subject } from './schemas.ts';

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
      code: z.string().max(64),
      subject: subject.describe('As `GET /v1/health` names it'),
      for: grace.nullable().default(null).describe('A duration, 30 days at most; null: until it ends'),
    }),
    response: condition,
    errors: { 404: 'condition_not_present' },
    run: async ({ body }, { health }, { caller, audit }) => {
      const forMs = body.for === null ? undefined : parseDuration(body.for);
      const until = forMs === undefined ? null : toIso(Date.now() + forMs);
      const found = await health.acknowledge(body, { by: nameOf(caller), until });
      const target = [body.code, body.subject.id].filter((part) => part !== null).join(' ');
      if (found === undefined) {
        const message = `there is no condition ${target.slice(0, 120)} now; it may be over, see GET /v1/health`;
        throw new RequestRefusedError(404, 'condition_not_present', message);
      }
      await audit('health.acknowledged', target, { until });
      return found;
    },
  }),
];
