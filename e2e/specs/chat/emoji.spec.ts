// Picking an emoji: by words of two languages, by the keyboard, and those used last come first.

import { expect, test } from '../../fixtures/test.ts';

test('an emoji is found by words and goes where the cursor was', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  const field = ann.screen.composer();
  await field.fill('Hello ');
  await ann.screen.button('Emoji').click();
  const picker = ann.screen.dialog('Emoji');
  const search = picker.getByRole('searchbox', { name: 'Search emoji' });
  await expect(search).toBeFocused();
  expect(await picker.getByRole('button').count()).toBeGreaterThan(400);
  await search.fill('Konfetti');
  await expect(picker.getByRole('button', { name: '🎉' })).toBeVisible();
  await search.fill('rocket');
  await expect(picker.getByRole('button').first()).toHaveText('🚀');
  await search.press('Enter');
  await expect(picker).toBeHidden();
  await expect(field).toHaveValue('Hello 🚀');
  await expect(field).toBeFocused();
  await search.page().reload();
  await ann.screen.button('Emoji').click();
  await expect(picker.getByRole('button').first(), 'what was used last comes first').toHaveText('🚀');
  await search.fill('no such thing at all');
  await expect(picker.getByRole('status')).toHaveText('No emoji of that name');
  await ann.page.keyboard.press('Escape');
  await expect(picker).toBeHidden();
});

test('the arrow keys go about in the emoji', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('pick one');
  await bob.uses('React', 'pick one');
  const picker = bob.screen.dialog('React');
  const buttons = picker.getByRole('button');
  const keys = bob.page.keyboard;
  // The picker is a part that is fetched; a key that is pressed before it is there belongs to the page.
  await expect(picker.getByRole('searchbox')).toBeFocused();
  await keys.press('ArrowDown');
  await expect(buttons.nth(0)).toBeFocused();
  await keys.press('ArrowRight');
  await keys.press('ArrowRight');
  await expect(buttons.nth(2)).toBeFocused();
  await keys.press('ArrowDown');
  await expect(buttons.nth(10)).toBeFocused();
  await keys.press('ArrowUp');
  await keys.press('ArrowUp');
  await expect(picker.getByRole('searchbox')).toBeFocused();
  await keys.press('ArrowDown');
  const sign = await buttons.nth(0).textContent();
  await keys.press('Enter');
  await expect(picker).toBeHidden();
  await expect(ann.screen.reaction(await ann.sees('pick one'), sign ?? '')).toHaveText(/1/);
});
