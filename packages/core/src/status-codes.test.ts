import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classifyStatus, STATUSES } from './status-codes.ts';

describe('a status', () => {
  it('is classified by its name first', () => {
    expect(classifyStatus({ code: 5, name: 'READ' })).toEqual({ code: 5, name: 'READ', class: 'read', final: true });
    expect(classifyStatus({ code: 142, name: 'QUEUED' })).toMatchObject({ class: 'pending', final: false });
    expect(classifyStatus({ code: 9999, name: ' device_ack ' })).toEqual({
      code: 9999,
      name: 'device_ack',
      class: 'delivered',
      final: false,
    });
  });

  it('is classified by its code when the name is new or missing', () => {
    expect(classifyStatus({ code: 6, name: 'SEEN' })).toEqual({ code: 6, name: 'SEEN', class: 'read', final: true });
    expect(classifyStatus({ code: 4 })).toEqual({ code: 4, name: 'SENT_TO_SUPPLIER', class: 'pending', final: false });
    expect(classifyStatus({ name: 'EXPIRED' })).toEqual({ code: 20, name: 'EXPIRED', class: 'failed', final: true });
  });

  it('is a failure from code 20 on when both are new', () => {
    expect(classifyStatus({ code: 142 })).toEqual({ code: 142, name: null, class: 'failed', final: true });
    expect(classifyStatus({ code: 30, name: 'NEW' })).toEqual({ code: 30, name: 'NEW', class: 'failed', final: true });
  });

  it('is unknown, and not final, otherwise', () => {
    for (const received of [
      {},
      { code: 0 },
      { code: 7 },
      { code: 19.9 },
      { code: -1 },
      { code: Number.NaN },
      { name: '' },
    ]) {
      expect(classifyStatus(received)).toMatchObject({ class: 'unknown', final: false });
    }
    expect(classifyStatus({ code: null, name: 'constructor' })).toEqual({
      code: null,
      name: 'constructor',
      class: 'unknown',
      final: false,
    });
  });

  it('is not final when Clickatell does not find the message (UNKNOWN)', () => {
    expect(classifyStatus({ code: 1, name: 'UNKNOWN' })).toMatchObject({ class: 'unknown', final: false });
  });

  it('is delivered, and no failure, in the sandbox (EMULATED)', () => {
    expect(classifyStatus({ code: 24, name: 'EMULATED' })).toMatchObject({ class: 'delivered', final: true });
  });

  it('is not final at DEVICE_ACK, because READ may follow', () => {
    expect(classifyStatus({ code: 5 })).toMatchObject({ class: 'delivered', final: false });
  });

  it('is no failure when a business marks a message as read (1001)', () => {
    expect(classifyStatus({ code: 1001 })).toEqual({ code: 1001, name: null, class: 'unknown', final: false });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.record({ code: fc.option(fc.double()), name: fc.option(fc.string()) }), (received) => {
        expect(classifyStatus(received).class).toMatch(/^(pending|delivered|read|failed|unknown)$/);
      }),
    );
  });
});

describe('the table', () => {
  it('has each name and each code once, and no number that is not public', () => {
    const codes = STATUSES.map(({ code }) => code).filter((code) => code !== null);
    expect(new Set(codes).size).toBe(codes.length);
    expect(new Set(STATUSES.map(({ name }) => name)).size).toBe(STATUSES.length);
    expect(codes.sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 60, 61, 80, 81, 82, 83, 84, 85, 100, 130, 131, 132, 133,
      134, 139, 140, 141,
    ]);
  });

  it('calls every failure final, and nothing that is pending', () => {
    for (const { class: statusClass, final } of STATUSES) {
      if (statusClass === 'failed') expect(final).toBe(true);
      if (statusClass === 'pending') expect(final).toBe(false);
    }
  });
});
