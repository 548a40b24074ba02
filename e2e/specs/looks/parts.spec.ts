// What is seldom used comes when it is used; what does not come says so, and can be asked for again.

import type { Page } from '@playwright/test';

import { expect, test } from '../../fixtures/test.ts';

// Where the browser keeps the whole page, nothing of it is missing without a network; that is told in offline.spec.ts.
test.use({ serviceWorkers: 'block' });

/** The names of the modules that a page asks for from now on, without their hashes. */
function modules(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const name = /\/([a-z-]+?)-[0-9a-f]{16}(_bg)?\.wasm$/.exec(request.url())?.[1];
    if (name !== undefined) {
      asked.push(name);
    }
  });
  return asked;
}

test('a first visit loads the one module that a conversation needs, and each part once it is used', async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann', 'bob');
  const asked = modules(ann.page);
  await ann.page.reload();
  await ann.says('with nothing but the first module');
  expect(asked).toEqual(['natter-web']);

  await ann.screen.link('Browse rooms').click();
  await expect(ann.screen.title()).toHaveText('Browse rooms');
  expect(asked).toContain('sheets');
  expect(asked).not.toContain('entries');
  const before = asked.length;
  await ann.screen.link('Settings').click();
  await expect(ann.screen.title()).toHaveText('Settings');
  expect(asked, 'the settings lie in the part that is here').toHaveLength(before);

  await ann.screen.roomLink(room.id).click();
  await ann.screen.button('Search this room').click();
  await expect(ann.page.getByRole('searchbox', { name: 'Search messages' })).toBeFocused();
  expect(asked).toContain('overlays');
});

test('a page that cannot be loaded says so and is there once one tries again', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  await ann.losesTheNetwork();
  await ann.screen.link('Browse rooms').click();
  const missing = ann.page.getByTestId('part-missing');
  await expect(missing).toContainText('could not be loaded');
  await missing.getByRole('button', { name: 'Try again' }).click();
  await expect(missing, 'there is still no network').toContainText('could not be loaded');
  await ann.isBackOnline();
  await missing.getByRole('button', { name: 'Try again' }).click();
  await expect(ann.screen.title()).toHaveText('Browse rooms');
  await expect(missing).toHaveCount(0);
});

test('a dialog that cannot be loaded says so, can be put away, and opens once the network is back', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  const missing = ann.page.getByTestId('part-missing');
  await ann.losesTheNetwork();
  await ann.page.keyboard.press('Control+k');
  await expect(missing).toContainText('could not be loaded');
  await ann.screen.button('Close this notice').click();
  await expect(missing).toHaveCount(0);
  await ann.says('the conversation goes on');
  await ann.isBackOnline();
  await ann.page.keyboard.press('Control+k');
  await expect(ann.page.getByRole('dialog')).toBeVisible();
  await ann.page.keyboard.press('Escape');
  await expect(ann.page.getByRole('dialog')).toHaveCount(0);
});

test('the way in that cannot be loaded comes with the whole page anew', async ({ people }) => {
  const stranger = await people.visitor();
  await stranger.goes('/login');
  await stranger.context.setOffline(true);
  await stranger.screen.link('Create an account').click();
  const missing = stranger.page.getByTestId('part-missing');
  await expect(missing).toContainText('could not be loaded');
  await stranger.context.setOffline(false);
  await missing.getByRole('button', { name: 'Load the page again' }).click();
  await expect(stranger.screen.title()).toHaveText('Create your account');
});
