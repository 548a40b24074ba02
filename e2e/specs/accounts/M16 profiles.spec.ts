// The page about a person, and the way from it into a conversation.

import { expect, test } from '../../fixtures/test.ts';

test('a profile can be opened and leads to a conversation', async ({ people }) => {
  const ann = await people.person('ann');
  const bob = await people.person('bob', { displayName: 'Bob the builder' });
  await bob.goes('/');
  await ann.goes('/u/bob');
  await expect(ann.screen.title()).toHaveText('Bob the builder');
  await expect(ann.page.getByText('bob@example.org')).toHaveCount(0);
  await ann.screen.button('Message').click();
  await expect(ann.screen.title()).toHaveText('Bob the builder');
  await ann.says('hello from your profile');
  await expect(bob.screen.directs()).toContainText('Ann');
});

test('a profile of nobody is not found', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.goes('/u/nobody-here');
  await ann.finds('nothing');
});
