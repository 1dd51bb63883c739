import { useEffect } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { call } from '../session.ts';

/** A delivery is shown with its event: what came before it explains it. */
const DeliveryPage = () => {
  const { id = '' } = useRoute().params;
  const { route } = useLocation();
  const loaded = useLoad(id, (signal) =>
    call('GET /v1/deliveries/{id}', { path: { id }, query: { reveal: 'false' }, signal }),
  );
  const eventId = loaded.data?.eventId;
  useEffect(() => {
    if (eventId !== undefined) route(`/events/${eventId}`, true);
  }, [eventId, route]);
  return loaded.error === undefined ? <Skeleton /> : <Failed loaded={loaded} />;
};

export default DeliveryPage;
