// What of a room calls for one's attention: chosen once, for all devices.

import { isAccessible } from '../../fixtures/axe.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a muted room stays grey and says nothing in the title', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const elsewhere = await people.signIn(bob.api);
  await elsewhere.goes('/browse');
  const link = elsewhere.screen.roomLink(room.id);
  await expect(link).not.toHaveClass(/muted/);

  await bob.screen.button('Notify me about').click();
  const dialog = bob.screen.dialog('Notify me about');
  await expect(dialog.getByRole('radio', { name: 'Everything' })).toBeChecked();
  await isAccessible(bob, 'what of a room calls');
  await dialog.getByText('Mentions', { exact: true }).click();
  // On the other device, at once.
  await expect(link).toHaveClass(/muted/);
  await bob.screen.button('Close').click();

  await bob.goes('/browse');
  await ann.says('nothing important');
  await expect(link).toHaveAttribute('data-unread', '1');
  await expect(link).toHaveAccessibleName(/muted/);
  await expect(elsewhere.page).toHaveTitle('Browse rooms · Natter');
  await ann.says('@bob this is');
  await expect(link).toHaveAttribute('data-mentions', '1');
  await expect(elsewhere.page).toHaveTitle('(1) Browse rooms · Natter');

  // It outlives a reload, and can be nothing at all.
  await elsewhere.page.reload();
  await expect(link).toHaveClass(/muted/);
  await bob.opens(room);
  await bob.screen.button('Notify me about').click();
  await expect(dialog.getByRole('radio', { name: 'Mentions' })).toBeChecked();
  await dialog.getByText('Nothing', { exact: true }).click();
  await bob.screen.button('Close').click();
  await bob.goes('/browse');
  await ann.says('@bob even this');
  await expect(link).toHaveAttribute('data-mentions', '1');
  await expect(elsewhere.page).toHaveTitle('Browse rooms · Natter');
  await expect(elsewhere.page.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon.svg');
});

test("the room's settings hold the same choice", async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.button('Room settings').click();
  const settings = ann.screen.dialog('Room settings');
  await settings.getByText('Nothing', { exact: true }).click();
  await expect(ann.screen.roomLink(room.id)).toHaveClass(/muted/);
  await ann.page.keyboard.press('Escape');
  await ann.screen.button('Notify me about').click();
  await expect(ann.screen.dialog('Notify me about').getByRole('radio', { name: 'Nothing' })).toBeChecked();
});
