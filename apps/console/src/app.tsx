import { useEffect, useState } from 'preact/hooks';
import lazy from 'preact-iso/lazy';
import { LocationProvider, Route, Router } from 'preact-iso/router';
import { LiveRegion } from './parts/live-region.tsx';
import { Empty } from './parts/page-state.tsx';
import { readSession, session } from './session.ts';
import { Help } from './shell/help.tsx';
import { Side } from './shell/side.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { Top } from './shell/top.tsx';
import { useKeys } from './shell/use-keys.ts';

const AlertsPage = lazy(() => import('./pages/alerts.tsx'));
const EditDestination = lazy(() => import('./pages/edit-destination.tsx'));
const NewDestination = lazy(() => import('./pages/new-destination.tsx'));
const Events = lazy(() => import('./pages/events.tsx'));
const EventPage = lazy(() => import('./pages/event.tsx'));
const Keys = lazy(() => import('./pages/keys.tsx'));
const LedgerPage = lazy(() => import('./pages/ledger.tsx'));
const Messages = lazy(() => import('./pages/messages.tsx'));
const MessagePage = lazy(() => import('./pages/message.tsx'));
const DeadLetters = lazy(() => import('./pages/dead-letters.tsx'));
const Deliveries = lazy(() => import('./pages/deliveries.tsx'));
const DeliveryPage = lazy(() => import('./pages/delivery.tsx'));
const DestinationPage = lazy(() => import('./pages/destination.tsx'));
const Destinations = lazy(() => import('./pages/destinations.tsx'));
const IntakePage = lazy(() => import('./pages/intake.tsx'));
const Overview = lazy(() => import('./pages/overview.tsx'));
const Quarantine = lazy(() => import('./pages/quarantine.tsx'));
const QuarantinedPage = lazy(() => import('./pages/quarantined.tsx'));
const ReplayPage = lazy(() => import('./pages/replay.tsx'));
const Replays = lazy(() => import('./pages/replays.tsx'));
const SetupPage = lazy(() => import('./pages/setup.tsx'));

/** The whole page: the sign-in until somebody is signed in, then the frame with one page in it. */
export const App = () => {
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    readSession().catch((error: Error) => setFailure(error.message));
  }, []);
  if (session.value === null) return <SignIn />;
  if (session.value === undefined) return <p class="empty">{failure ?? ''}</p>;
  return (
    <LocationProvider>
      <Frame />
    </LocationProvider>
  );
};

const Frame = () => {
  useKeys();
  return (
    <>
      <a class="sr" href="#main">
        Skip to content
      </a>
      <div class="app">
        <Side />
        <div>
          <Top />
          <main id="main" tabIndex={-1}>
            <Router>
              <Route path="/" component={Overview} />
              <Route path="/events" component={Events} />
              <Route path="/events/:id" component={EventPage} />
              <Route path="/messages" component={Messages} />
              <Route path="/messages/:id" component={MessagePage} />
              <Route path="/deliveries" component={Deliveries} />
              <Route path="/deliveries/:id" component={DeliveryPage} />
              <Route path="/dead-letters" component={DeadLetters} />
              <Route path="/quarantine" component={Quarantine} />
              <Route path="/quarantine/:id" component={QuarantinedPage} />
              <Route path="/replays" component={Replays} />
              <Route path="/replays/:id" component={ReplayPage} />
              <Route path="/intake" component={IntakePage} />
              <Route path="/ledger" component={LedgerPage} />
              <Route path="/setup" component={SetupPage} />
              <Route path="/keys" component={Keys} />
              <Route path="/destinations" component={Destinations} />
              <Route path="/alerts" component={AlertsPage} />
              <Route path="/destinations/new" component={NewDestination} />
              <Route path="/destinations/:id/edit" component={EditDestination} />
              <Route path="/destinations/:id" component={DestinationPage} />
              <Route default component={NotFound} />
            </Router>
          </main>
        </div>
      </div>
      <Help />
      <LiveRegion />
    </>
  );
};

const NotFound = () => (
  <Empty title="There is no such page">
    <a class="btn" href="/">
      Overview
    </a>
  </Empty>
);
