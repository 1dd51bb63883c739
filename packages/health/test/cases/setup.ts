import { but, DAY, HOUR, NOW, setup } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const ends = (inMs: number) => setup({ certificateEndsAt: NOW + inMs });

export const setupCases: Cases = {
  anyone_may_post: {
    true: setup({ takesAnybody: true }),
    'no receiver tells': but({ parts: WHY }),
    'true, by a receiver that told': { ...setup({ takesAnybody: true }), parts: WHY },
  },
  no_public_url: { true: setup({ publicUrl: null }) },
  public_url_not_https: {
    http: setup({ publicUrl: 'http://relay.example' }),
    none: setup({ publicUrl: null }),
    'in capitals': setup({ publicUrl: 'HTTPS://relay.example' }),
  },
  public_certificate_expiring: {
    '15 days': ends(15 * DAY),
    '14 days': ends(14 * DAY),
    '3 days and an hour': ends(3 * DAY + HOUR),
    '3 days': ends(3 * DAY),
    'an hour ago': ends(-HOUR),
    'never seen': setup({ certificateEndsAt: null }),
    unknown: setup({ certificateEndsAt: WHY }),
  },
  credential_unknown: {
    true: setup({ knowsCredential: false }),
    'none is needed': setup({ knowsCredential: false, takesAnybody: true }),
    'no receiver tells': { ...setup({ knowsCredential: false }), parts: WHY },
    'known, and no receiver tells': but({ parts: WHY }),
  },
};
