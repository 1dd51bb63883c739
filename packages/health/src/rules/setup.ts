import { DAY_MS } from '@clickrelay/core';
import type { Severity } from '../condition.ts';
import type { SetupFacts } from '../facts.ts';
import { isUnknown, whenKnown } from '../known.ts';
import { below, fully } from '../reach.ts';
import type { Advice, Rule } from '../rule.ts';
import { duration } from '../words.ts';

const LET_IN = 'docs/quickstart.md#10-let-clickatell-in';

const TLS = [
  { severity: 'warning', raise: 14 * DAY_MS, clear: 14 * DAY_MS },
  { severity: 'critical', raise: 3 * DAY_MS, clear: 3 * DAY_MS },
] as const;

/** @returns what a certificate reaches that ends then, and when it ends in words; undefined while that is far away */
export const reachEnd = (endsAt: number, nowMs: number) => {
  const leftMs = endsAt - nowMs;
  const reached = below(leftMs, TLS);
  if (reached === undefined) return undefined;
  return { ...reached, ends: leftMs > 0 ? `ends in ${duration(leftMs)}` : `ended ${duration(-leftMs)} ago` };
};

/** A rule about how Clickatell reaches us, which is true or not. */
const ofSetup = (
  rule: Pick<Rule, 'code' | 'kind' | 'when' | 'about'>,
  severity: Severity,
  isTrue: (setup: SetupFacts) => boolean,
  told: { readonly sentence: string; readonly mend: Advice },
): Rule => ({
  ...rule,
  levels: [{ severity }],
  look: ({ setup }) => (isTrue(setup) ? [{ id: null, ...fully(severity), count: 0, ...told }] : []),
});

/** What no receiver can be asked about is not known. */
const whenReceiversTell = (rule: Rule, isCertain: (setup: SetupFacts) => boolean): Rule => ({
  ...rule,
  look: (facts, nowMs) => (isCertain(facts.setup) || !isUnknown(facts.parts) ? rule.look(facts, nowMs) : facts.parts),
});

const anyoneMayPost = ofSetup(
  {
    code: 'anyone_may_post',
    kind: 'receiver',
    when: 'At once, while a receiver takes callbacks without a credential (`CALLBACK_AUTH=none`).',
    about: 'Anybody who knows the address can make up messages of customers. Set a credential.',
  },
  'warning',
  ({ takesAnybody }) => takesAnybody,
  {
    sentence: 'anybody who knows the address can post callbacks',
    mend: { text: 'set CALLBACK_AUTH=query:<a long random secret>, or basic:<user>:<password>' },
  },
);

const credentialUnknown = ofSetup(
  {
    code: 'credential_unknown',
    kind: 'api',
    when: 'At once, while the API knows no credential of callbacks that it could show.',
    about:
      '`clickrelay setup` cannot show the address for the portal. Give the API the `CALLBACK_AUTH` of the receiver.',
  },
  'info',
  ({ knowsCredential, takesAnybody }) => !(knowsCredential || takesAnybody),
  {
    sentence: 'the API does not know the credential of callbacks',
    mend: { text: 'give the API the CALLBACK_AUTH of the receiver' },
  },
);

const noPublicUrl = ofSetup(
  {
    code: 'no_public_url',
    kind: 'api',
    when: 'At once, while the API has no `PUBLIC_URL`.',
    about:
      'It is not known how Clickatell reaches the receiver: [Let Clickatell in](quickstart.md#10-let-clickatell-in).',
  },
  'warning',
  ({ publicUrl }) => publicUrl === null,
  {
    sentence: 'it is not known how Clickatell reaches the receiver',
    mend: {
      text: 'put a proxy or a tunnel with TLS in front of the receiver, and set PUBLIC_URL=https://…',
      link: LET_IN,
    },
  },
);

const publicUrlNotHttps = ofSetup(
  {
    code: 'public_url_not_https',
    kind: 'api',
    when: 'At once, while `PUBLIC_URL` begins with something else than `https:`.',
    about: 'Messages of customers, and the credential, would cross the internet in plain text.',
  },
  'warning',
  ({ publicUrl }) => publicUrl !== null && !/^https:/i.test(publicUrl),
  {
    sentence: 'callbacks would come over plain http',
    mend: { text: 'give the proxy in front a certificate, and set PUBLIC_URL=https://…', link: LET_IN },
  },
);

const publicCertificateExpiring: Rule = {
  code: 'public_certificate_expiring',
  kind: 'api',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when:
    'The certificate at `PUBLIC_URL` ends within 14 days (warning) or 3 days (critical), or has ended; until it is ' +
    'renewed.',
  about: 'Clickatell sends nothing to an address whose certificate is not valid. Renew it.',
  look: ({ setup }, nowMs) =>
    whenKnown(setup.certificateEndsAt, (endsAt) => {
      if (endsAt === null) return [{ id: null, unknown: 'the certificate at PUBLIC_URL was never seen' }];
      const reached = reachEnd(endsAt, nowMs);
      if (reached === undefined) return [];
      const { ends, ...reach } = reached;
      const mend = { text: 'renew it: Clickatell calls no address with one that has ended' };
      return [{ id: null, ...reach, count: 0, sentence: `the certificate at PUBLIC_URL ${ends}`, mend }];
    }),
};

export const setupRules: readonly Rule[] = [
  whenReceiversTell(anyoneMayPost, ({ takesAnybody }) => takesAnybody),
  noPublicUrl,
  publicUrlNotHttps,
  publicCertificateExpiring,
  whenReceiversTell(credentialUnknown, ({ knowsCredential }) => knowsCredential),
];
