// The keyboard for everything: from room to room, to what is new, to writing, and a sheet that lists the keys.

import { isAccessible } from '../../fixtures/axe.ts';
import { expect, test } from '../../fixtures/test.ts';

test('Alt with the arrows goes from room to room, with Shift to what is new', async ({ people }) => {
  const ann = await people.person('ann');
  const bob = await people.account('bob');
  const [attic, barn, cellar] = await Promise.all(['attic', 'barn', 'cellar'].map((name) => ann.api.createRoom(name)));
  await bob.join(cellar!);
  await ann.opens(attic!);
  await expect(ann.screen.roomLink(cellar!.id)).toBeVisible();
  await ann.page.keyboard.press('Alt+ArrowDown');
  await ann.isIn(barn!);
  await ann.page.keyboard.press('Alt+ArrowUp');
  await ann.isIn(attic!);
  await ann.page.keyboard.press('Alt+ArrowUp');
  await ann.isIn(cellar!);
  // Also from where one writes.
  await ann.screen.composer().focus();
  await ann.page.keyboard.press('Alt+ArrowDown');
  await ann.isIn(attic!);
  await bob.send(cellar!, 'news');
  await expect(ann.screen.roomLink(cellar!.id)).toHaveAttribute('data-unread', '1');
  await ann.page.keyboard.press('Alt+Shift+ArrowDown');
  await ann.isIn(cellar!);
  await ann.sees('news');
  await expect(ann.screen.roomLink(cellar!.id)).toHaveAttribute('data-unread', '0');
  await ann.page.keyboard.press('Alt+Shift+ArrowDown');
  await ann.isIn(cellar!);
});

test('typing goes where one writes', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.log().focus();
  await ann.page.keyboard.type('just so');
  await expect(ann.screen.composer()).toBeFocused();
  await expect(ann.screen.composer()).toHaveValue('just so');
  await ann.page.keyboard.press('Enter');
  await bob.sees('just so');
  // Not from a field, nor from above.
  await ann.screen.button('Search this room').click();
  const search = ann.page.getByRole('searchbox', { name: 'Search messages' });
  await search.focus();
  await ann.page.keyboard.type('so?');
  await expect(search).toHaveValue('so?');
  await expect(ann.screen.composer()).toHaveValue('');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the sheet of keys opens from everywhere, ${colorScheme}`, async ({ people }) => {
    const ann = await people.person('ann', { browser: { colorScheme, reducedMotion: 'reduce' } });
    const room = await ann.api.createRoom('kitchen');
    await ann.opens(room);
    const sheet = ann.screen.dialog('Keyboard shortcuts');
    await ann.screen.log().focus();
    await ann.page.keyboard.press('?');
    await expect(sheet).toBeVisible();
    await expect(sheet).toContainText('Previous or next room with something new');
    await isAccessible(ann, 'keys');
    await ann.page.keyboard.press('Escape');
    await expect(sheet).toBeHidden();
    await expect(ann.screen.log()).toBeFocused();
    // Where one writes, a question mark is one.
    await ann.screen.composer().focus();
    await ann.page.keyboard.type('why?');
    await expect(ann.screen.composer()).toHaveValue('why?');
    await expect(sheet).toBeHidden();
    await ann.page.keyboard.press('Control+/');
    await expect(sheet).toBeVisible();
    await ann.screen.button('Close').click();

    await ann.page.keyboard.press('Control+k');
    await ann.screen.jump().fill('keyb');
    await expect(ann.screen.option(/Keyboard shortcuts/)).toBeVisible();
    await ann.page.keyboard.press('Enter');
    await expect(sheet).toBeVisible();
    await ann.screen.button('Close').click();
    await ann.goes('/settings');
    await ann.screen.button('Keyboard shortcuts').click();
    await expect(sheet).toBeVisible();
    await ann.page.keyboard.press('Escape');
    await isAccessible(ann, 'settings');
  });
}
