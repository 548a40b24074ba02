// A click on a name: a message to that person alone, inside the room or as a conversation of two.

import { expect, test } from '../../fixtures/test.ts';

test('a whisper is seen by the two, and its place by nobody else', async ({ people }) => {
  const { ann, bob, cleo, room } = await people.together('kitchen', 'ann', 'bob', 'cleo');
  await ann.says('for all of you');
  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('button', { name: 'Whisper' }).click();
  await expect(ann.screen.composerMode()).toContainText('Only Bob will see this');
  await ann.says('the cake is in the cellar');
  // It goes on between the two until one says otherwise: nobody shall tell everybody by accident.
  await expect(ann.screen.composerMode()).toContainText('Only Bob will see this');
  await ann.screen.composer().press('Escape');
  await expect(ann.screen.composerMode()).toBeHidden();
  const own = await ann.sees('the cake is in the cellar');
  await expect(own).toContainText('Only Bob sees this');
  const his = await bob.sees('the cake is in the cellar');
  await expect(his).toContainText('Only you see this');
  await ann.says('and now for all again');
  await cleo.seesExactly(['for all of you', 'and now for all again']);

  // Nothing of it in what the server hands out, in search or after a reload.
  expect(await cleo.api.bodies(room)).toEqual(['for all of you', 'and now for all again']);
  await cleo.page.reload();
  await cleo.seesExactly(['for all of you', 'and now for all again']);
  await bob.page.reload();
  await bob.seesExactly(['for all of you', 'the cake is in the cellar', 'and now for all again']);
});

test('a click on a name opens the conversation of the two', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('button', { name: 'Message' }).click();
  await expect(ann.screen.title()).toHaveText('Bob');
  await ann.says('only between us');
  await bob.screen.directs().getByRole('link', { name: /Ann/ }).click();
  await bob.sees('only between us');
});
