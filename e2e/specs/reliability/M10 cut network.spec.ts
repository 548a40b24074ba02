// The wire itself is cut, for everybody: the page says so before anyone wonders, goes on taking text, and comes back alone.

import { RECONNECT_MS } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

test.use({ wired: true });

test('a banner says that the page is reconnecting, and goes when it is back', async ({ people, wire }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await expect(ann.screen.banner()).toBeHidden();
  wire.cut();
  await expect(ann.screen.banner()).toBeVisible();
  await expect(ann.screen.banner()).toHaveText(/Reconnecting/);
  await expect(ann.screen.composer()).toBeEditable();
  await ann.says('written while cut off');
  await ann.hasTick('written while cut off', 'sending');
  wire.mend();
  await expect(ann.screen.banner()).toBeHidden({ timeout: RECONNECT_MS });
  await bob.sees('written while cut off', RECONNECT_MS);
  expect(await ann.api.bodies(room)).toEqual(['written while cut off']);
});

test('what happened meanwhile is there after coming back: messages, edits, deletions', async ({ people, wire }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const edited = await ann.api.send(room, 'to be edited');
  const deleted = await ann.api.send(room, 'to be deleted');
  await bob.seesExactly(['to be edited', 'to be deleted']);
  wire.cut();
  await expect(bob.screen.banner()).toBeVisible();
  // Ann's own calls go through the same wire: they happen in the moment in which it is mended, before Bob is back.
  wire.mend();
  await ann.api.ask('PATCH', `/rooms/${room.id}/messages/${edited}`, { client_id: crypto.randomUUID(), body: 'edited' });
  await ann.api.ask('DELETE', `/rooms/${room.id}/messages/${deleted}`, { client_id: crypto.randomUUID() });
  await ann.api.send(room, 'new');
  await bob.sees('new', RECONNECT_MS);
  await bob.sees('edited');
  await bob.doesNotSee('to be edited');
  await bob.doesNotSee('to be deleted');
});
