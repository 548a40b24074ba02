// What is new is counted beside the room and marked by a line inside it.

import { expect, test } from '../../fixtures/test.ts';

test('unread messages are counted, and a line shows where they begin', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('already read');
  await bob.sees('already read');
  await ann.hasTick('already read', 'read');
  await bob.goes('/browse');
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '0');

  await ann.says('new one');
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '1');
  await ann.says('new two');
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '2');
  await expect(bob.screen.roomLink(room.id)).toHaveAccessibleName(/^kitchen.*2/);

  await bob.screen.roomLink(room.id).click();
  await bob.seesExactly(['already read', 'new one', 'new two']);
  await expect(bob.screen.newLine()).toHaveCount(1);
  const line = (await bob.screen.newLine().boundingBox())!;
  expect(line.y).toBeGreaterThan((await bob.screen.message('already read').boundingBox())!.y);
  expect(line.y).toBeLessThan((await bob.screen.message('new one').boundingBox())!.y);
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '0');
});

test('a room that is opened by its address shows the line too, and counts as read', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('already read');
  await ann.hasTick('already read', 'read');
  await bob.goes('/browse');
  await ann.says('new one');
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '1');
  await bob.opens(room);
  await bob.seesExactly(['already read', 'new one']);
  await expect(bob.screen.newLine()).toHaveCount(1);
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '0');
  await ann.hasTick('new one', 'read');
});

test("one's own messages are never unread", async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann', 'bob');
  const elsewhere = await ann.opensATab();
  await elsewhere.goes('/browse');
  await ann.says('from me');
  await ann.hasTick('from me', 'read');
  await expect(elsewhere.screen.roomLink(room.id)).toHaveAttribute('data-unread', '0');
});
