// Without a network the page opens all the same, with what was saved; what is written goes out once, in order, when there is
// one again. Nothing of it is left for whoever comes next.

import type { Page } from '@playwright/test';

import type { Person } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

/** Everything that IndexedDB holds for the page, as one text. */
async function saved(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const names = (await indexedDB.databases()).map(({ name }) => name!);
    const all: unknown[] = [];
    for (const name of names) {
      const database = await new Promise<IDBDatabase>((done, failed) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => done(request.result);
        request.onerror = () => failed(request.error);
      });
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAll();
        all.push(await new Promise((done) => (request.onsuccess = () => done(request.result))));
      }
      database.close();
    }
    return JSON.stringify(all);
  });
}

/** The browser has the page, and the page has saved these words. */
async function isReadyToBeOffline(person: Person, ...words: string[]): Promise<void> {
  await person.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await expect.poll(() => person.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  for (const word of words) {
    await expect.poll(() => saved(person.page), { timeout: 20_000 }).toContain(word);
  }
}

const SAVED = /You see what was saved here/;

test('opened without a network it shows what was saved, and sends what is written later, once and in order', async ({
  people,
}) => {
  test.slow();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('one');
  await ann.says('two');
  const other = await ann.api.createRoom('cellar');
  await isReadyToBeOffline(ann, 'one', 'two', 'cellar');
  await ann.losesTheNetwork();
  await ann.page.reload();
  await expect(ann.screen.banner()).toHaveText(SAVED);
  await ann.seesExactly(['one', 'two']);
  await expect(ann.screen.roomLink(other.id)).toBeVisible();
  await ann.says('three, without a network');
  await ann.hasTick('three, without a network', 'sending');
  await bob.says('four, meanwhile');
  // Closed and opened once more, in another tab and at another address.
  await ann.page.close();
  const again = await ann.opensATab();
  await again.goes('/');
  await expect(again.screen.banner()).toHaveText(SAVED);
  await again.screen.roomLink(room.id).click();
  await expect(again.screen.bodies()).toHaveText(['one', 'two', 'three, without a network']);
  await again.says('five, without a network');
  await expect(again.screen.me()).toContainText('@ann');
  // What needs the server says so.
  await again.screen.roomLink(other.id).click();
  await expect(again.screen.alert()).toBeVisible();
  await again.goes(`/r/${room.id}`);
  await expect(again.screen.bodies()).toHaveCount(4);

  await again.isBackOnline();
  await again.isLive();
  const all = ['one', 'two', 'four, meanwhile', 'three, without a network', 'five, without a network'];
  await again.seesExactly(all);
  await bob.seesExactly(all);
  expect(await ann.api.bodies(room)).toEqual(all);
});

test('with the server away the page opens, and goes on by itself when it is back', async ({ people, server }) => {
  test.slow();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('before');
  await ann.sees('before');
  await isReadyToBeOffline(ann, 'before');
  await server.kill9();
  await ann.page.reload();
  await expect(ann.screen.banner()).toHaveText(SAVED);
  await ann.seesExactly(['before']);
  await ann.says('while it was away');
  // A dialog that was never opened is there as well.
  await ann.screen.button('Emoji').click();
  await expect(ann.screen.dialog('Emoji').getByRole('searchbox')).toBeFocused();
  await ann.page.keyboard.press('Escape');
  await server.start();
  await ann.isLive();
  await ann.seesExactly(['before', 'while it was away']);
  await bob.sees('while it was away', 30_000);
});

test('logging out leaves nothing behind', async ({ people }) => {
  test.slow();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('for members only');
  await ann.sees('for members only');
  await isReadyToBeOffline(ann, 'for members only');
  expect(await saved(ann.page), 'no token is saved').not.toMatch(/eyJ[\w-]{10,}\.|access_token/);
  await ann.screen.button('Log out').click();
  await ann.isAskedToLogIn();
  await expect.poll(() => saved(ann.page)).toBe('[[]]');
  await ann.losesTheNetwork();
  await ann.goes('/');
  await expect(ann.page.getByText('for members only')).toHaveCount(0);
  await expect(ann.screen.rooms()).toHaveCount(0);
});

test('another person who signs in in the same browser finds nothing of the one before', async ({ people }) => {
  test.slow();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('for members only');
  await ann.sees('for members only');
  await isReadyToBeOffline(ann, 'for members only');
  await people.account('eve');
  // The login of the one before ends while no page is open: its cookie goes.
  await ann.page.goto('about:blank');
  await ann.context.clearCookies();
  await ann.goes('/login');
  await ann.logsIn('eve');
  await expect(ann.screen.me()).toContainText('@eve');
  await expect.poll(() => saved(ann.page)).not.toContain('for members only');
});

test('a login that ended meanwhile takes what was saved with it', async ({ people }) => {
  test.slow();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('for members only');
  await ann.sees('for members only');
  await isReadyToBeOffline(ann, 'for members only');
  await ann.losesTheNetwork();
  await ann.page.reload();
  await expect(ann.screen.banner()).toHaveText(SAVED);
  await ann.sees('for members only');
  await ann.api.ask('DELETE', '/auth/sessions');
  await ann.isBackOnline();
  await ann.isAskedToLogIn();
  await expect(ann.page.getByText('for members only')).toHaveCount(0);
  await expect.poll(() => saved(ann.page)).toBe('[[]]');
});

test('what the server says is in no cache', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('not to be cached');
  await isReadyToBeOffline(ann);
  const kept = await ann.page.evaluate(async () => {
    const all = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map((request) => new URL(request.url).pathname);
  });
  expect(kept).toContain('/index.html');
  expect(kept.filter((path) => /^\/(api|health)\//.test(path))).toEqual([]);
});
