// Calling somebody by name: offered while one writes, counted and marked for whom it names.

import { isAccessible } from '../../fixtures/axe.ts';
import { expect, test } from '../../fixtures/test.ts';

test('names are offered while one writes, and taken by key or by mouse', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob', 'bertha');
  const { screen, page } = ann;
  await screen.composer().focus();
  await page.keyboard.type('Hello @b');
  await expect(screen.names()).toHaveText([/Bertha/, /Bob/]);
  await expect(screen.names().first()).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowDown');
  await expect(screen.names().nth(1)).toHaveAttribute('aria-selected', 'true');
  const active = await screen.names().nth(1).getAttribute('id');
  await expect(screen.composer()).toHaveAttribute('aria-activedescendant', active!);
  await page.keyboard.press('Enter');
  await expect(screen.composer()).toHaveValue('Hello @bob ');
  await expect(screen.names()).toHaveCount(0);

  // In the middle of a text, by its display name, with Tab; one step back takes it back.
  await page.keyboard.press('Home');
  await page.keyboard.type('@BERTH');
  await expect(screen.names()).toHaveText([/Bertha/]);
  await page.keyboard.press('Tab');
  await expect(screen.composer()).toHaveValue('@bertha Hello @bob ');
  await page.keyboard.press('Control+z');
  await expect(screen.composer()).toHaveValue('@BERTHHello @bob ');
  await page.keyboard.press('Control+y');
  await expect(screen.composer()).toHaveValue('@bertha Hello @bob ');

  await page.keyboard.press('End');
  await page.keyboard.type('@a');
  await screen.names().filter({ hasText: 'Everybody' }).click();
  await expect(screen.composer()).toHaveValue('@bertha Hello @bob @all ');
  await expect(screen.composer()).toBeFocused();

  // Escape closes the list and nothing else; the rest of the name does not open it again.
  await page.keyboard.type('@b');
  await expect(screen.names()).toHaveCount(2);
  await page.keyboard.press('Escape');
  await expect(screen.names()).toHaveCount(0);
  await page.keyboard.type('o');
  await expect(screen.names()).toHaveCount(0);
  await page.keyboard.press('Enter');
  await bob.sees('@bertha Hello @bob @all @bo');
  // Addresses are no names.
  await page.keyboard.type('write to me@b');
  await expect(screen.names()).toHaveCount(0);
});

test('a mention is counted, marked, and leads to whom it names', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const link = bob.screen.roomLink(room.id);
  await bob.goes('/browse');
  await ann.says('for everybody else');
  await expect(link).toHaveAttribute('data-unread', '1');
  await expect(link).toHaveAttribute('data-mentions', '0');
  await expect(bob.page).toHaveTitle('• Browse rooms · Natter');
  await expect(bob.page.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon-new.svg');
  await ann.says('@bob come and see');
  await expect(link).toHaveAttribute('data-mentions', '1');
  await expect(link).toHaveAccessibleName(/mentions of you: 1/);
  await expect(bob.page).toHaveTitle('(1) Browse rooms · Natter');
  await expect(bob.page.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon-calls.svg');
  expect((await bob.context.request.get(`${bob.origin}/favicon-calls.svg`)).headers()['content-type']).toBe('image/svg+xml');
  await ann.says('@all of you');
  await expect(link).toHaveAttribute('data-mentions', '2');
  await isAccessible(bob, 'a mention in the rail');
  await bob.page.reload();
  await expect(link).toHaveAttribute('data-mentions', '2');
  await expect(bob.page).toHaveTitle('(2) Browse rooms · Natter');

  const elsewhere = await bob.opensATab();
  await elsewhere.goes('/settings');
  await expect(elsewhere.screen.roomLink(room.id)).toHaveAttribute('data-mentions', '2');
  await link.click();
  const message = await bob.sees('@bob come and see');
  await expect(message).toHaveClass(/mentions-me/);
  await expect(await bob.sees('@all of you')).toHaveClass(/mentions-me/);
  await expect(await bob.sees('for everybody else')).not.toHaveClass(/mentions-me/);
  await expect(await ann.sees('@bob come and see')).not.toHaveClass(/mentions-me/);
  await expect(link).toHaveAttribute('data-mentions', '0');
  await expect(bob.page).toHaveTitle('kitchen · Natter');
  await expect(elsewhere.screen.roomLink(room.id)).toHaveAttribute('data-mentions', '0');

  const own = ann.screen.message('@bob come and see').getByRole('button', { name: '@bob' });
  await own.click();
  await expect(ann.screen.dialog('Bob')).toBeVisible();
  await ann.page.keyboard.press('Escape');
  await expect(ann.screen.dialog('Bob')).toBeHidden();
});

test('an edit and a deletion take a mention back', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const link = bob.screen.roomLink(room.id);
  await bob.goes('/browse');
  await ann.says('@bob first');
  await ann.says('second');
  await expect(link).toHaveAttribute('data-mentions', '1');
  await ann.uses('Edit', 'second');
  await ann.screen.composer().fill('@bob second');
  await ann.screen.composer().press('Enter');
  await expect(link).toHaveAttribute('data-mentions', '2');
  await ann.uses('Edit', '@bob first');
  await ann.screen.composer().fill('@nobody first');
  await ann.screen.composer().press('Enter');
  await expect(link).toHaveAttribute('data-mentions', '1');
  await ann.uses('Delete', '@bob second');
  await ann.screen.dialog('Delete this message?').getByRole('button', { name: 'Delete' }).click();
  await expect(link).toHaveAttribute('data-mentions', '0');
  await expect(link).toHaveAttribute('data-unread', '1');
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the names that are offered are accessible, ${colorScheme}`, async ({ people }) => {
    const ann = await people.person('ann', { browser: { colorScheme, reducedMotion: 'reduce' } });
    const bob = await people.account('bob');
    const room = await ann.api.createRoom('kitchen');
    await bob.join(room);
    await bob.send(room, 'Where is @ann? And @all the others, and @bob?');
    await ann.opens(room);
    await ann.sees('Where is @ann? And @all the others, and @bob?');
    await ann.screen.composer().focus();
    await ann.page.keyboard.type('@');
    await expect(ann.screen.names()).toHaveCount(2);
    await isAccessible(ann, 'names');
  });
}

test('names are offered on a phone', async ({ people }) => {
  const ann = await people.person('ann', { browser: { viewport: { width: 390, height: 844 }, hasTouch: true } });
  const bob = await people.account('bob');
  const room = await ann.api.createRoom('kitchen');
  await bob.join(room);
  await ann.opens(room);
  await ann.screen.composer().tap();
  await ann.page.keyboard.type('@bo');
  await expect(ann.screen.names()).toBeInViewport();
  await ann.screen.names().first().tap();
  await expect(ann.screen.composer()).toHaveValue('@bob ');
});
