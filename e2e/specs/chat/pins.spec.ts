// Pinned messages: who administers a room pins, everybody sees it at once and after a reload, and gets to the message.

import { expect, test } from '../../fixtures/test.ts';

test('what is pinned is listed for everybody, live and after a reload', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.composer().fill('the **rules** of the kitchen');
  await ann.screen.composer().press('Enter');
  await ann.sees('the rules of the kitchen');
  await bob.says('a plan');
  for (const n of Array.from({ length: 60 }, (_, at) => at)) {
    await ann.api.send(room, `line ${n}`);
  }
  await bob.sees('line 59');
  await bob.page.reload();
  await bob.isIn(room);
  await expect(bob.screen.messages().filter({ hasText: 'rules' })).toHaveCount(0);
  const count = bob.page.getByTestId('pins');
  await expect(count).toHaveCount(0);

  const rules = ann.screen.messages().filter({ hasText: 'the rules of the kitchen' });
  await rules.hover();
  await rules.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(rules.getByRole('img', { name: 'Pinned' })).toBeVisible();
  await expect(count).toHaveText('1');
  const line = bob.screen.events().filter({ hasText: 'Ann pinned a message' });
  await expect(line).toBeVisible();

  // Not loaded yet, and yet listed with its text as it reads.
  await count.click();
  const list = bob.screen.dialog('Pinned messages');
  await expect(list.getByTestId('pin')).toHaveText(/Ann.*the rules of the kitchen/);
  await expect(list.getByRole('button', { name: /Unpin/ }), 'not for members').toHaveCount(0);
  await list.getByTestId('pin').click();
  await expect(bob.screen.messages().filter({ hasText: 'rules' })).toBeInViewport();
  await expect(bob.screen.messages().filter({ hasText: 'rules' })).toBeFocused();
  await bob.screen.latest().click();
  await line.getByRole('button').click();
  await expect(bob.screen.messages().filter({ hasText: 'rules' })).toBeInViewport();

  await bob.page.reload();
  await expect(count).toHaveText('1');
  await ann.page.getByTestId('pins').click();
  await ann.screen.dialog('Pinned messages').getByRole('button', { name: 'Unpin the message of Ann' }).click();
  await expect(count).toHaveCount(0);
  await expect(ann.screen.dialog('Pinned messages')).toContainText('Nothing is pinned in here.');
});

test('in a direct conversation both pin', async ({ people }) => {
  const ann = await people.person('ann');
  const bob = await people.person('bob');
  const room = await ann.api.direct('bob');
  for (const person of [ann, bob]) {
    await person.opens(room);
  }
  await ann.says('remember the milk');
  const message = await bob.sees('remember the milk');
  await message.hover();
  await message.getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(ann.page.getByTestId('pins')).toHaveText('1');
  await ann.page.getByTestId('pins').click();
  await ann.screen.dialog('Pinned messages').getByRole('button', { name: /^Unpin/ }).click();
  await expect(bob.page.getByTestId('pins')).toHaveCount(0);
});
