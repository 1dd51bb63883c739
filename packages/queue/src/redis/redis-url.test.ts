import { describe, expect, it } from 'vitest';
import { InvalidRedisUrlError, parseRedisUrl } from './redis-url.ts';

describe('a REDIS_URL', () => {
  it('of one server is left as it is', () => {
    for (const url of ['redis://127.0.0.1:6379', 'rediss://user:p%40ss@redis.internal:6380/2']) {
      expect(parseRedisUrl(url)).toEqual({ kind: 'server', url });
    }
  });

  it('of Sentinels names them, their primary, and the login of the Redis', () => {
    expect(parseRedisUrl('redis+sentinel://h1:26379,h2,[::1]:26380/mymaster')).toEqual({
      kind: 'sentinel',
      sentinels: [
        { host: 'h1', port: 26_379 },
        { host: 'h2', port: 26_379 },
        { host: '::1', port: 26_380 },
      ],
      name: 'mymaster',
      db: 0,
      tls: false,
    });
    expect(
      parseRedisUrl('rediss+sentinel://app:s%2F%40%3Acret@h1/my%20master/3?sentinelUsername=s&sentinelPassword=p%26w'),
    ).toEqual({
      kind: 'sentinel',
      sentinels: [{ host: 'h1', port: 26_379 }],
      name: 'my master',
      db: 3,
      username: 'app',
      password: 's/@:cret',
      sentinelUsername: 's',
      sentinelPassword: 'p&w',
      tls: true,
    });
  });

  it('of a Cluster names some of its nodes', () => {
    expect(parseRedisUrl('rediss+cluster://:secret@h1:7000,h2:7001/')).toEqual({
      kind: 'cluster',
      nodes: [
        { host: 'h1', port: 7_000 },
        { host: 'h2', port: 7_001 },
      ],
      password: 'secret',
      tls: true,
    });
  });

  it.each([
    ['', 'something else'],
    ['redis.internal:6379', 'something else'],
    ['http://h1', 'something else'],
    ['redis://', undefined],
    ['redis://h1:s3cret', 'cannot be read'],
    ['redis+sentinel://h1:26379', 'the name of their primary'],
    ['redis+sentinel://h1:26379/a/b', 'the name of their primary'],
    ['redis+sentinel://h1:99999/a', 'each host is'],
    ['redis+sentinel://h1,,h2/a', 'each host is'],
    ['redis+cluster://h1:7000/1', 'no database but 0'],
    ['redis+cluster://u:%zz@h1:7000', 'written as %25'],
  ])('%s is refused, and its text not repeated', (url, reason) => {
    if (reason === undefined) return expect(parseRedisUrl(url)).toEqual({ kind: 'server', url });
    expect(() => parseRedisUrl(url)).toThrow(InvalidRedisUrlError);
    expect(() => parseRedisUrl(url)).toThrow(reason);
    expect(() => parseRedisUrl(url)).not.toThrow('s3cret');
  });
});
