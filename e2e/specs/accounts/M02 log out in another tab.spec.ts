// Logging out in one tab ends the other tabs of the same login, without a reload.

import { expect, test } from '../../fixtures/test.ts';

test('logging out in one tab ends the other', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const other = await ann.opensATab();
  await other.opens(room);
  await other.says('two tabs');
  await bob.sees('two tabs');

  await ann.screen.button('Log out').click();
  await ann.isAskedToLogIn();
  await other.isAskedToLogIn();
  await expect(other.page.getByText('two tabs')).toHaveCount(0);
  await bob.seesOffline('ann');
});
