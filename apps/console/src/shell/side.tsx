import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { Icon } from '../parts/icon.tsx';
import { State } from '../parts/state.tsx';
import { call } from '../session.ts';

const GROUPS = [
  {
    name: 'Watch',
    pages: [
      { path: '/', name: 'Overview', icon: 'home' },
      { path: '/intake', name: 'Intake', icon: 'in' },
      { path: '/events', name: 'Events', icon: 'list' },
      { path: '/messages', name: 'Messages', icon: 'msg' },
      { path: '/deliveries', name: 'Deliveries', icon: 'split' },
    ],
  },
  {
    name: 'Act',
    pages: [
      { path: '/dead-letters', name: 'Dead letters', icon: 'dl' },
      { path: '/quarantine', name: 'Quarantine', icon: 'quar' },
      { path: '/replays', name: 'Replays', icon: 'rep' },
    ],
  },
  {
    name: 'Run',
    pages: [
      { path: '/destinations', name: 'Destinations', icon: 'dest' },
      { path: '/alerts', name: 'Alerts', icon: 'info' },
      { path: '/ledger', name: 'Ledger', icon: 'book' },
      { path: '/setup', name: 'Set-up', icon: 'plug' },
      { path: '/keys', name: 'Keys and audit', icon: 'user' },
    ],
  },
] as const;

export const Side = () => {
  const { path } = useLocation();
  const isAt = (page: string): boolean => (page === '/' ? path === '/' : path.startsWith(page));
  return (
    <nav class="side" aria-label="Main">
      <a class="brand" href="/">
        <Icon name="logo" />
        Clickrelay
      </a>
      {GROUPS.map(({ name: group, pages }) => (
        <>
          <h2 key={group}>{group}</h2>
          {pages.map(({ path: page, name, icon }) => (
            <a key={page} href={page} aria-current={isAt(page) ? 'page' : undefined}>
              <Icon name={icon} />
              {name}
            </a>
          ))}
        </>
      ))}
      <Foot />
    </nav>
  );
};

/** How safe what is acknowledged is, on every page. */
const Foot = () => {
  const { data } = useLoad('status', (signal) => call('GET /v1/status', { signal }), { everyMs: 15_000 });
  if (data === undefined) return <div class="foot" />;
  const { durability, version } = data;
  return (
    <div class="foot">
      {durability.ready ? <State name="healthy">Safe on disk</State> : <State name="critical">Not safe on disk</State>}
      <br />
      kept: {durability.durability}
      <br />v{version}
    </div>
  );
};
