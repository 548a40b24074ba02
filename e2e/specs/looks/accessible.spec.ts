// Every page and dialog, in both themes, through axe: no violations.

import { isAccessible } from '../../fixtures/axe.ts';
import { hills } from '../../fixtures/png.ts';
import { opensTheGarden, scene } from '../../fixtures/scene.ts';
import { expect, test } from '../../fixtures/test.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  test(`signing in is accessible, ${colorScheme}`, async ({ people }) => {
    await people.account('ann');
    const visitor = await people.visitor({ colorScheme, reducedMotion: 'reduce' });
    const { screen } = visitor;
    await visitor.goes('/login');
    await expect(screen.title()).toBeVisible();
    await isAccessible(visitor, 'log in');
    await visitor.logsIn('ann', 'not the password at all');
    await expect(screen.alert()).toBeVisible();
    await isAccessible(visitor, 'log in, refused');
    await visitor.goes('/register');
    await expect(screen.title()).toBeVisible();
    await isAccessible(visitor, 'register');
    await screen.field('Username').fill('ann');
    await screen.password().fill('password12');
    await screen.button('Create account').click();
    await expect(screen.note('username')).toContainText('taken');
    await expect(screen.suggestions().first()).toBeVisible();
    await isAccessible(visitor, 'register, with errors');
    await visitor.goes('/guest');
    await expect(screen.title()).toHaveText('Come in as a guest');
    await isAccessible(visitor, 'guest');
    await screen.button('Come in').click();
    await expect(screen.note('display_name')).not.toBeEmpty();
    await isAccessible(visitor, 'guest, with errors');
  });

  test(`the room and its dialogs are accessible, ${colorScheme}`, async ({ people }) => {
    test.slow();
    const all = await scene(people, { colorScheme });
    const { ann } = all;
    const { screen } = ann;
    await opensTheGarden(all);
    await isAccessible(ann, 'room');
    await screen.message('And some cake').hover();
    await expect(screen.action(screen.message('And some cake'), 'React')).toBeVisible();
    await isAccessible(ann, 'actions of a message');
    await ann.uses('Reply', 'The timber comes tomorrow. Who has a trailer?');
    await isAccessible(ann, 'writing a reply');
    await screen.composer().press('Escape');
    await screen.message('And some cake').getByRole('button', { name: /Read by all|Received by all|On the server/ }).click();
    await expect(screen.dialog('Who has it')).toBeVisible();
    await isAccessible(ann, 'who has it');
    await ann.page.keyboard.press('Escape');
    await ann.page.keyboard.press('Control+k');
    await screen.jump().fill('k');
    await expect(screen.option(/kitchen/)).toBeVisible();
    await isAccessible(ann, 'jump to');
    await ann.page.keyboard.press('Escape');
    await screen.button('New room').click();
    await expect(screen.newRoom()).toBeVisible();
    await isAccessible(ann, 'new room');
    await ann.page.keyboard.press('Escape');
    await screen.button('Search this room').click();
    await ann.page.getByRole('searchbox', { name: 'Search messages' }).fill('timber');
    await expect(ann.page.getByTestId('search-result')).toHaveCount(1);
    await isAccessible(ann, 'search');
    await screen.button('Close search').click();
    await screen.messages().first().getByRole('button', { name: 'Bob' }).click();
    await expect(screen.dialog('Bob')).toBeVisible();
    await isAccessible(ann, 'a person');
    await ann.page.keyboard.press('Escape');
    await screen.button('Room settings').click();
    await expect(screen.dialog('Room settings')).toBeVisible();
    await isAccessible(ann, 'room settings');
    await ann.page.keyboard.press('Escape');
    await ann.uses('React', 'And some cake');
    await expect(screen.dialog('React').getByRole('searchbox')).toBeFocused();
    await isAccessible(ann, 'picking an emoji');
    await ann.page.keyboard.type('no such thing');
    await expect(screen.dialog('React').getByRole('status')).toBeVisible();
    await isAccessible(ann, 'no emoji of that name');
    await ann.page.keyboard.press('Escape');
    await screen.message('And some cake').hover();
    await screen.message('And some cake').getByRole('button', { name: 'Pin', exact: true }).click();
    await ann.page.getByTestId('pins').click();
    await expect(screen.dialog('Pinned messages').getByTestId('pin')).toHaveCount(1);
    await isAccessible(ann, 'pinned messages');
    await ann.page.keyboard.press('Escape');
    await screen.composer().fill('**bold** _leaning_ ~~gone~~ `code`\n> a quote\n- one\n- two\n1. first\nhttps://example.org');
    await screen.composer().press('Enter');
    await expect(screen.bodies().last().locator('strong')).toBeVisible();
    await isAccessible(ann, 'a message of every kind');
    await ann.losesTheNetwork();
    await ann.says('written without a network');
    await isAccessible(ann, 'without a network');
  });

  test(`the other pages are accessible, ${colorScheme}`, async ({ people }) => {
    test.slow();
    const { ann } = await scene(people, { colorScheme });
    for (const [path, title] of [
      ['/', 'Welcome to Natter'],
      ['/browse', 'Browse rooms'],
      ['/settings', 'Settings'],
      ['/u/bob', 'Bob'],
      ['/no/such/page', 'Not found'],
    ] as const) {
      await ann.goes(path);
      await expect(ann.screen.title()).toHaveText(title);
      await isAccessible(ann, path);
    }
  });

  test(`the administrators' page and deleting an account are accessible, ${colorScheme}`, async ({ people, server }) => {
    test.slow();
    const { ann } = await scene(people, { colorScheme });
    server.administers('grant', 'ann');
    await ann.goes('/admin');
    await expect(ann.screen.chart('errors')).toBeVisible();
    await ann.screen.chart('logins').getByRole('slider').focus();
    await ann.screen.chart('logins').getByRole('button', { name: /Show as a table/ }).click();
    await isAccessible(ann, 'figures');
    for (const path of ['/admin/events', '/admin/users', '/admin/rooms']) {
      await ann.goes(path);
      await expect(ann.page.locator('main li').first()).toBeVisible();
      await isAccessible(ann, path);
    }
    await ann.goes('/admin/users');
    await ann.screen.account('bob').getByRole('button', { name: 'Disable' }).click();
    await isAccessible(ann, 'a question');
    await ann.goes('/settings');
    await ann.screen.button('Delete account…').click();
    await ann.screen.button('Delete for good').click();
    await expect(ann.screen.note('deletion_password')).not.toBeEmpty();
    await isAccessible(ann, 'deleting an account');
  });

  test(`images are accessible, ${colorScheme}`, async ({ people }) => {
    test.slow();
    const { ann, bob, garden } = await scene(people, { colorScheme });
    const file = (name: string) => ({ name, mimeType: 'image/png', buffer: hills(200, 150) });
    const ready = '[data-testid="chosen"][data-stage="ready"]';
    await bob.opens(garden);
    await bob.page.getByTestId('image-chooser').setInputFiles([file('one.png'), file('two.png')]);
    await expect(bob.page.locator(ready)).toHaveCount(2);
    await bob.says('from the hill');
    await ann.opens(garden);
    await expect(ann.screen.log().getByTestId('picture').locator('img')).toHaveCount(2);
    await ann.page.getByTestId('image-chooser').setInputFiles(file('three.png'));
    await expect(ann.page.locator(ready)).toHaveCount(1);
    await isAccessible(ann, 'images and chosen ones');
    await ann.screen.log().getByTestId('picture').first().click();
    await expect(ann.page.getByTestId('large-picture')).toBeVisible();
    await isAccessible(ann, 'a large image');
    await ann.page.keyboard.press('Escape');
    await ann.goes('/settings');
    await ann.page.getByTestId('picture-chooser').setInputFiles(file('me.png'));
    await expect(ann.screen.dialog('Your picture').getByRole('button', { name: 'Use this picture' })).toBeEnabled();
    await isAccessible(ann, "cutting out one's picture");
  });

  test(`the room on a phone is accessible, ${colorScheme}`, async ({ people }) => {
    const all = await scene(people, { colorScheme, viewport: { width: 390, height: 844 } });
    const { ann, garden } = all;
    await ann.opens(garden);
    await expect(ann.screen.bodies()).toHaveCount(9);
    await isAccessible(ann, 'room');
    await ann.screen.button('People').click();
    await expect(ann.screen.person('bob')).toBeInViewport();
    await isAccessible(ann, 'people');
    await ann.page.keyboard.press('Escape');
    await ann.screen.button('Rooms').click();
    await expect(ann.screen.roomLink(garden.id)).toBeInViewport();
    await isAccessible(ann, 'rooms');
  });
}

test('a room can be used with the keyboard alone', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('no mouse today');
  await ann.sees('no mouse today');
  await ann.page.keyboard.press('Control+k');
  await expect(ann.screen.jump()).toBeFocused();
  await ann.page.keyboard.press('Escape');
  await ann.screen.composer().focus();
  await ann.page.keyboard.type('none at all');
  await ann.page.keyboard.press('Enter');
  await bob.sees('none at all');
  await expect(ann.screen.composer()).toBeFocused();
});
