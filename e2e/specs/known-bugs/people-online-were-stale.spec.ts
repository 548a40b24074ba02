// In a program that this one replaces, the list of people online was stale: it kept those who were long gone.

import { test } from '../../fixtures/test.ts';

test('who went away while the server was dead is not online when it is back', async ({ people, server }) => {
  test.slow();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob', 'cleo');
  await server.kill9();
  await bob.page.close();
  await server.start();
  await ann.isLive();
  await ann.seesOnline('cleo', 60_000);
  await ann.seesOffline('bob', 60_000);
  await ann.seesOnline('ann');
});

test('who closes the browser is offline within seconds, who comes back is online', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await bob.page.close();
  await ann.seesOffline('bob');
  const again = await bob.opensATab();
  await again.opens(room);
  await ann.seesOnline('bob');
});
