// One tick: on the server. Two: reached everybody. Coloured: read by everybody. Who has it is one click away.

import { expect, test } from '../../fixtures/test.ts';

test('ticks go one, two, coloured', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  const bobs = await people.account('bob');
  await bobs.join(room);
  await ann.opens(room);

  await ann.says('have you got this');
  await ann.hasTick('have you got this', 'stored');
  const message = await ann.sees('have you got this');
  await expect(message.getByRole('button', { name: 'On the server' })).toBeVisible();

  // Bob comes, but looks elsewhere.
  const bob = await people.signIn(bobs);
  await bob.goes('/');
  await ann.hasTick('have you got this', 'received');
  await expect(message.getByRole('button', { name: 'Received by all' })).toBeVisible();
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-unread', '1');

  await bob.screen.roomLink(room.id).click();
  await bob.sees('have you got this');
  await ann.hasTick('have you got this', 'read');
  await expect(message.getByRole('button', { name: 'Read by all' })).toBeVisible();
});

test('who has not got it yet is one click away', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  for (const name of ['bob', 'cleo']) {
    await (await people.account(name)).join(room);
  }
  const dan = await people.person('dan');
  await dan.api.join(room);
  await dan.opens(room);
  await ann.opens(room);
  await ann.says('who is there');
  await dan.sees('who is there');
  const tick = (await ann.sees('who is there')).getByRole('button', { name: 'On the server' });
  await tick.click();
  const dialog = ann.screen.dialog('Who has it');
  await expect(dialog.getByRole('list', { name: 'Read' })).toContainText('Dan');
  await expect(dialog.getByRole('list', { name: 'Not yet' })).toContainText('Bob');
  await expect(dialog.getByRole('list', { name: 'Not yet' })).toContainText('Cleo');
});
