import { useLoad } from '../load.ts';
import { ListCard } from '../parts/page-state.tsx';
import { selectionOf } from '../parts/replay-card.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { call } from '../session.ts';

const LOOK_MS = 5_000;

const Replays = () => {
  const loaded = useLoad('replays', (signal) => call('GET /v1/replays', { query: { reveal: 'false' }, signal }), {
    everyMs: LOOK_MS,
  });
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Replays</h1>
          <p>What was sent again on request, newest first.</p>
        </div>
      </div>
      <ListCard loaded={loaded} empty="Nothing was replayed yet">
        {(items) => (
          <Table
            name="List of replays"
            rows={items}
            keyOf={({ id }) => id}
            columns={[
              {
                head: 'Begun',
                cell: ({ id, createdAt }) => (
                  <a href={`/replays/${id}`}>
                    <Ago at={createdAt} />
                  </a>
                ),
              },
              { head: 'What', cell: selectionOf },
              { head: 'State', cell: ({ state }) => state },
              { head: 'Delivered', num: true, cell: ({ delivered }) => delivered.toLocaleString('en') },
              { head: 'Failed again', num: true, cell: ({ failed }) => failed.toLocaleString('en') },
              { head: 'By', cell: ({ by }) => by },
            ]}
          />
        )}
      </ListCard>
    </>
  );
};

export default Replays;
