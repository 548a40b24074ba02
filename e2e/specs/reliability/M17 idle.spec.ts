// Nobody says anything for a minute and a half, and everything is still live, on the same connections.

import { expect, test } from '../../fixtures/test.ts';

const IDLE_MS = 90_000;

test('after 90 idle seconds a message still arrives at once', async ({ people }) => {
  test.setTimeout(IDLE_MS + 60_000);
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  const changes: string[] = [];
  for (const person of [ann, bob]) {
    person.page.on('websocket', (socket) => changes.push(`opened ${socket.url()}`));
    person.page.on('framenavigated', (frame) => changes.push(`went to ${frame.url()}`));
  }
  const since = Date.now();
  await expect
    .poll(
      async () => {
        // A connection that drops in between shows here, not only at the end.
        expect(changes, 'no connection was opened anew').toEqual([]);
        await expect(ann.screen.banner()).toBeHidden({ timeout: 1 });
        await expect(bob.screen.banner()).toBeHidden({ timeout: 1 });
        return Date.now() - since;
      },
      { timeout: IDLE_MS + 30_000, intervals: [2_000] },
    )
    .toBeGreaterThanOrEqual(IDLE_MS);
  await ann.says('still there');
  await bob.sees('still there', 3_000);
  await bob.says('of course');
  await ann.sees('of course', 3_000);
  await ann.seesOnline('bob');
  expect(changes).toEqual([]);
});
