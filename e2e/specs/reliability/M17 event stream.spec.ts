// Where WebSockets are blocked, the page changes to server-sent events by itself, and everything goes on.

import { expect, test } from '../../fixtures/test.ts';

test.use({ wired: true });

test('two people chat both ways while WebSockets are blocked', async ({ people, wire }) => {
  test.slow();
  wire.blockWebSockets();
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  const bob = await people.person('bob');
  await bob.api.join(room);
  const streams: string[] = [];
  ann.page.on('response', (answer) => answer.url().includes('/api/v1/events') && streams.push(answer.url()));
  await ann.opens(room);
  await bob.opens(room);
  await ann.says('hello over HTTP');
  await bob.sees('hello over HTTP', 30_000);
  await bob.says('hello back');
  await ann.sees('hello back', 30_000);
  await ann.hasTick('hello over HTTP', 'read', 20_000);
  await ann.isLive();
  await bob.isLive();
  await ann.seesOnline('bob');
  expect(wire.refused, 'WebSockets were tried and refused').toBeGreaterThanOrEqual(3);
  expect(streams.length).toBeGreaterThan(0);
  expect(streams.filter((url) => /eyJ|token/i.test(url)), 'no token in a URL').toEqual([]);

  await ann.uses('Reply', 'hello back');
  await ann.says('and a reply');
  await expect(bob.screen.quote(await bob.sees('and a reply'))).toContainText('hello back');
});

test('an event stream that breaks is resumed without a gap', async ({ people, wire }) => {
  test.slow();
  wire.blockWebSockets();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('before the break');
  await bob.sees('before the break', 30_000);
  wire.cut();
  await expect(bob.screen.banner()).toBeVisible({ timeout: 20_000 });
  wire.mend();
  await ann.api.send(room, 'during the break');
  await ann.says('after the break');
  const all = ['before the break', 'during the break', 'after the break'];
  await bob.seesExactly(all, 40_000);
  await ann.seesExactly(all, 40_000);
});
