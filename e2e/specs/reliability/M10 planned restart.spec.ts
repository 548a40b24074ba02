// An operator stops the server and starts it again: it ends by itself, and nobody has to reload.

import { RECONNECT_MS } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

test('people chat on after the server was stopped and started', async ({ people, server }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('before');
  await bob.sees('before');
  expect(await server.stop(), 'exit code').toBe(0);
  await expect(ann.screen.banner()).toBeVisible();
  await ann.says('while it is away');
  await server.start();
  await bob.sees('while it is away', RECONNECT_MS);
  await bob.says('after');
  await ann.seesExactly(['before', 'while it is away', 'after']);
  await bob.seesExactly(['before', 'while it is away', 'after']);
  expect(await ann.api.bodies(room)).toEqual(['before', 'while it is away', 'after']);
});
