import { waitUntil } from '@clickrelay/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { watchDurability } from './durability.ts';
import { explainRedisError } from './explain-error.ts';

const URL = 'redis://app:canary@127.0.0.1:7001';
const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });
const coded = (code: string): Error => Object.assign(new Error('canary'), { code });

describe('an error of Redis', () => {
  it.each([
    [
      reply("NOPERM this user has no permissions to run the 'config|get' command"),
      'do all that is needed (NOPERM: config|get)',
    ],
    [reply("NOPERM User app has no permissions to run the 'zadd' command"), 'do all that is needed (NOPERM: zadd)'],
    [
      reply("ERR The user executing the script can't run this command or subcommand script: canary"),
      'is needed (NOPERM)',
    ],
    [reply('MISCONF Errors writing to the AOF file: No space left on device'), 'cannot write to its disk (MISCONF)'],
    [reply("OOM command not allowed when used memory > 'maxmemory'. script: canary"), 'is at its maxmemory (OOM)'],
    [reply("READONLY You can't write against a read only replica."), 'is a replica (READONLY)'],
    [reply('LOADING Redis is loading the dataset in memory'), 'is loading its data (LOADING)'],
    [reply('WRONGPASS invalid username-password pair or user is disabled.'), 'the user or the password (WRONGPASS)'],
    [reply('NOAUTH Authentication required.'), 'refuses the user or the password (NOAUTH)'],
    [reply('CLUSTERDOWN Hash slot not served'), 'slots that no node serves now (CLUSTERDOWN)'],
    [reply('TRYAGAIN Multiple keys request during rehashing of slot'), 'on its way to another master (TRYAGAIN)'],
    [
      new Error(
        'Too many Cluster redirections. Last error: ReplyError: TRYAGAIN Multiple keys request during rehashing of slot',
      ),
      'on its way to another master (TRYAGAIN)',
    ],
    [coded('ECONNREFUSED'), 'refuses the connection (ECONNREFUSED)'],
    [coded('ENOTFOUND'), 'has a name that leads nowhere (ENOTFOUND)'],
    [coded('EHOSTUNREACH'), 'cannot be reached (EHOSTUNREACH)'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'a certificate that is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'a certificate that is not accepted (ERR_TLS_CERT_ALTNAME_INVALID)'],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'does not speak TLS as REDIS_URL asks (ERR_SSL_WRONG_VERSION_NUMBER)'],
    [new Error('Command timed out'), 'does not answer (ETIMEDOUT)'],
    [new Error('all failed', { cause: coded('ECONNREFUSED') }), 'refuses the connection (ECONNREFUSED)'],
  ])('is told for what it is: %s', (error, cause) => {
    const trouble = explainRedisError(error, URL);
    expect(trouble?.cause).toMatch(/^the Redis at 127\.0\.0\.1:7001 /);
    expect(trouble?.cause.endsWith(cause)).toBe(true);
    expect(trouble?.mend).not.toBe('');
    expect(JSON.stringify(trouble)).not.toContain('canary');
  });

  it('is not made of one that is about something else', () => {
    expect(explainRedisError(new TypeError('x is undefined'), URL)).toBeUndefined();
    expect(explainRedisError(reply('WRONGTYPE Operation against a key'), URL)).toBeUndefined();
  });

  it.each([
    ['redis+sentinel://u:canary@a:26379,b/mymaster', 'the Redis at the Sentinels a:26379, b:26379 '],
    ['redis+cluster://u:canary@a:7000,b:7001', 'the Redis at a:7000, b:7001 (a Cluster) '],
    ['rediss://[::1]', 'the Redis at [::1]:6379 '],
  ])('names where Redis is, without the login: %s', (url, begin) => {
    expect(explainRedisError(coded('ECONNREFUSED'), url)?.cause.startsWith(begin)).toBe(true);
  });
});

describe('a Redis that cannot be used', () => {
  const { redis, openStore } = useStore({ freshPerTest: 'nothing' });
  const closing: (() => unknown)[] = [];
  afterAll(() => {
    for (const close of closing) close();
  });

  const problemOf = async (redisUrl: string): Promise<string> => {
    const store = await openStore({ redisUrl, role: 'producer' });
    const watch = watchDurability(store, { mode: 'always' });
    closing.push(watch.stop);
    return waitUntil(() => watch.current().problems[0]?.value.match(/^not usable: .*/)?.[0]);
  };

  it('is told with host, reason and code, by its settings and over the wire', async () => {
    const { port } = redis;
    const of = (where: string, does: string): string => `not usable: the Redis at ${where} ${does}`;
    const here = `127.0.0.1:${port}`;
    expect(await problemOf('redis://127.0.0.1:1')).toBe(of('127.0.0.1:1', 'refuses the connection (ECONNREFUSED)'));
    expect(await problemOf('redis://no-such-host.invalid:6379')).toMatch(
      /a name that leads nowhere \((ENOTFOUND|EAI_AGAIN)\)$/,
    );
    expect(await problemOf(`redis://app:wrong@${here}`)).toBe(of(here, 'refuses the user or the password (WRONGPASS)'));
    // It answers nothing to a greeting that it does not understand.
    expect(await problemOf(`rediss://${here}`)).toBe(of(here, 'cannot be reached (ETIMEDOUT)'));
  });
});
