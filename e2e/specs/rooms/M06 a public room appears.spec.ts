// A new public room is there at once for everybody who is connected; a private one is not.

import { expect, test } from '../../fixtures/test.ts';

test('everybody connected sees a new public room at once', async ({ people }) => {
  const ann = await people.person('ann');
  const bob = await people.person('bob');
  const cleo = await people.person('cleo');
  for (const reader of [bob, cleo]) {
    await reader.goes('/browse');
    await expect(reader.screen.title()).toHaveText('Browse rooms');
    await expect(reader.screen.me()).toBeVisible();
    await reader.isLive();
  }
  await ann.api.createRoom('attic', '', 'private');
  await ann.goes('/');
  await ann.screen.button('New room').click();
  await ann.screen.newRoom().getByRole('textbox', { name: 'Name' }).fill('cellar');
  await ann.screen.newRoom().getByRole('button', { name: 'Create room' }).click();
  for (const reader of [bob, cleo]) {
    await expect(reader.screen.directoryRoom('cellar')).toBeVisible();
    await expect(reader.page.getByText('attic')).toHaveCount(0);
  }
});
