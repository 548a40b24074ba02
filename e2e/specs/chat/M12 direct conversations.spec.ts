// A conversation of two, found by the other's unique name.

import { expect, test } from '../../fixtures/test.ts';

test('searching a person opens a direct conversation at once', async ({ people }) => {
  const ann = await people.person('ann');
  const bob = await people.person('bob_the_builder', { displayName: 'Bob' });
  await bob.goes('/');
  await ann.goes('/');
  await expect(ann.screen.title()).toHaveText('Welcome to Natter');
  await ann.page.keyboard.press('Control+k');
  await ann.screen.jump().fill('bob_the');
  await expect(ann.screen.option(/Bob/)).toBeVisible();
  await ann.screen.jump().press('Enter');
  await expect(ann.screen.title()).toHaveText('Bob');
  await ann.says('found you');

  const link = bob.screen.directs().getByTestId('room-link');
  await expect(link).toHaveAttribute('data-unread', '1');
  await expect(link).toContainText('Ann');
  await link.click();
  await bob.sees('found you');
  await bob.says('here I am');
  await ann.sees('here I am');
  await ann.hasTick('found you', 'read');
});

test('a conversation of two stays between the two', async ({ people }) => {
  const { ann, bob, cleo } = await people.together('kitchen', 'ann', 'bob', 'cleo');
  const direct = await ann.api.direct('bob');
  await ann.opens(direct);
  await ann.says('only for Bob');
  await bob.opens(direct);
  await bob.sees('only for Bob');
  await expect(cleo.screen.directs().getByTestId('room-link')).toHaveCount(0);
  await cleo.goes(`/r/${direct.id}`);
  await cleo.finds('nothing');
  await expect(cleo.page.getByText('only for Bob')).toHaveCount(0);
});

test('a click on a person in the room leads to a conversation with them', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('button', { name: 'Message', exact: true }).click();
  await expect(ann.screen.title()).toHaveText('Bob');
  await ann.says('just us');
});
