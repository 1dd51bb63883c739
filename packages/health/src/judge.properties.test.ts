import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CASES } from '../test/cases/all.ts';
import { but, MINUTE, NOW } from '../test/healthy.ts';
import { relay } from '../test/relay.ts';
import type { Facts } from './facts.ts';
import { RULES } from './rules/index.ts';

const DEFAULT_KEEP_MS = 60_000;
/** They go by what each process knows of itself. */
const ALWAYS_KNOWN = ['redis_away', 'redis_refuses', 'no_public_url', 'public_url_not_https', 'credential_unknown'];

/** Facts of one condition, one after the other, as their clock goes; the same ones more often than not. */
const histories = fc.constantFrom(...RULES.map(({ code }) => code)).chain((code) =>
  fc.record({
    code: fc.constant(code),
    steps: fc.array(
      fc.record({
        facts: fc.oneof(fc.constant(but()), fc.constantFrom(...Object.values(CASES[code] ?? {}))),
        afterMs: fc.oneof(fc.integer({ min: 0, max: 2 * MINUTE }), fc.integer({ min: 0, max: 40 * MINUTE })),
      }),
      { maxLength: 40 },
    ),
  }),
);

it('no sequence of facts raises, ends and raises a condition faster than its for plus its keep', () => {
  fc.assert(
    fc.property(histories, ({ code, steps }) => {
      const rule = RULES.find((one) => one.code === code);
      const { look, now, memories } = relay(RULES.filter((one) => one.code === code));
      const raisedAt = new Map<string, number>();
      const isRaised = new Map<string, boolean>();
      for (const { facts, afterMs } of steps) {
        look(facts, afterMs);
        for (const { severity, forMs = 0, keepMs = DEFAULT_KEEP_MS } of rule?.levels ?? []) {
          const keys = new Set([...memories().keys(), ...isRaised.keys()].map((key) => key.split(' ')[0] ?? ''));
          for (const key of keys) {
            const place = `${key} ${severity}`;
            const is = memories().get(key)?.levels[severity]?.isRaised ?? false;
            if (is && !isRaised.get(place)) {
              const last = raisedAt.get(place) ?? Number.NEGATIVE_INFINITY;
              expect(now() - last, place).toBeGreaterThanOrEqual(forMs + keepMs);
              raisedAt.set(place, now());
            }
            isRaised.set(place, is);
          }
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

it('what is unknown ends nothing', () => {
  const WHY = { unknown: 'nobody can tell' };
  const unknown = but(
    Object.fromEntries(
      Object.keys(but())
        .filter((name) => name !== 'redis' && name !== 'setup')
        .map((name) => [name, WHY]),
    ),
  );
  fc.assert(
    fc.property(histories, fc.array(fc.integer({ min: 0, max: 120 * MINUTE }), { maxLength: 5 }), (history, gaps) => {
      fc.pre(!ALWAYS_KNOWN.includes(history.code));
      const { look, memories } = relay(RULES.filter(({ code }) => code === history.code));
      for (const { facts, afterMs } of history.steps) look(facts, afterMs);
      const raised = () =>
        [...memories()].flatMap(([key, { levels }]) =>
          Object.entries(levels).flatMap(([severity, { isRaised }]) => (isRaised ? [`${key} ${severity}`] : [])),
        );
      const before = raised();
      for (const gap of gaps) {
        const found = look({ ...unknown, setup: { ...unknown.setup, certificateEndsAt: WHY } }, gap);
        expect(raised()).toEqual(before);
        expect(found.every(({ state }) => state === 'unknown')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

it('a restart between two looks changes nothing', () => {
  fc.assert(
    fc.property(histories, ({ steps }) => {
      const [steady, restarted] = [relay(), relay(RULES, { restarts: true })];
      for (const { facts, afterMs } of steps)
        expect(restarted.look(facts, afterMs)).toEqual(steady.look(facts, afterMs));
    }),
    { numRuns: 100 },
  );
});

/*
 * What may be told: texts that are made from tables of ours, the few words that a field may hold, ids, and names of hosts.
 */
const OURS = /\.(cause|mend|unknown|id|hostName|destinationId|role|state|limit|mode|by|of)$|\.problems\./;
/** What decides whether there is anything to tell. */
const DECIDES = /\.(type|durability|lastRewrite|oldestAt|publicUrl|startedAt|version)$/;

/** Puts a text into every field that holds one. */
const taint = (value: unknown, canary: string, keeps: (path: string) => boolean, path = ''): unknown => {
  if (typeof value === 'string') return OURS.test(path) || keeps(path) ? value : canary;
  if (Array.isArray(value)) return value.map((one) => taint(one, canary, keeps, `${path}.item`));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, one]) => {
    const name = path.endsWith('.settings') ? canary : key;
    return [name, taint(one, canary, keeps, `${path}.${key}`)];
  });
  return Object.fromEntries(entries);
};

it('no phone number, text or secret in any field of the facts comes out in a sentence or a mend', () => {
  const canaries = fc.oneof(
    fc.constantFrom(
      'Hello, it is me',
      'redis://app:hunter2@10.0.0.1',
      'https://relay.example/?token=s3cret',
      'Thabo M.',
    ),
    fc.stringMatching(/^(\+|00)?27\d{9}$/),
    fc.stringMatching(/^whsec_[A-Za-z0-9+/]{31}=$/),
    fc.stringMatching(/^[a-f0-9]{32}$/),
  );
  const all = Object.values(CASES).flatMap((cases) => Object.values(cases));
  fc.assert(
    fc.property(fc.constantFrom(...all), canaries, fc.boolean(), (facts, canary, isEverything) => {
      const tainted = taint(facts, canary, (path) => !isEverything && DECIDES.test(path)) as Facts;
      for (const rule of RULES) {
        const seen = rule.look(tainted, NOW);
        expect(JSON.stringify(seen).includes(canary), `${rule.code} tells ${canary}`).toBe(false);
      }
    }),
    { numRuns: 1_000 },
  );
});
