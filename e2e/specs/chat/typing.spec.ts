// Who is writing is shown to the others, and only while they do.

import { expect, test } from '../../fixtures/test.ts';

test('the others see that somebody is writing', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.composer().pressSequentially('let me think');
  await expect(bob.screen.typing()).toContainText('Ann is writing');
  await expect(ann.screen.typing().filter({ hasText: 'Ann' })).toHaveCount(0);
  await ann.screen.composer().press('Enter');
  await bob.sees('let me think');
  await expect(bob.screen.typing().filter({ hasText: 'Ann' })).toHaveCount(0);
});

test('the notice ends by itself when nothing more is typed', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.composer().pressSequentially('hm');
  await expect(bob.screen.typing()).toContainText('Ann is writing');
  await expect(bob.screen.typing().filter({ hasText: 'Ann' })).toHaveCount(0, { timeout: 15_000 });
});
