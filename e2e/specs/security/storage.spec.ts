// A token is nowhere where a script, another person at the screen, or a log of addresses could find it.

import { expect, test } from '../../fixtures/test.ts';

test('no token stands in any storage, cookie that scripts can read, or address', async ({ people }) => {
  const addresses: string[] = [];
  const tokens = new Set<string>();
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  ann.page.on('request', (request) => {
    addresses.push(request.url());
    const bearer = request.headers()['authorization']?.replace(/^Bearer /, '');
    if (bearer) {
      tokens.add(bearer);
    }
  });
  ann.page.on('websocket', (socket) => addresses.push(socket.url()));
  await ann.opens(room);
  await ann.says('something to keep');
  await ann.screen.composer().fill('a draft to keep');
  await ann.hasTick('something to keep', 'stored');
  await ann.page.reload();
  await ann.isIn(room);
  const cookies = await ann.context.cookies();
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
  tokens.add(cookies[0]!.value);
  expect(tokens.size, 'an access token was seen on its way, and the cookie').toBeGreaterThanOrEqual(2);

  const kept = await ann.page.evaluate(async () => {
    const databases: unknown[] = [];
    for (const { name } of await indexedDB.databases()) {
      const opened = await new Promise<IDBDatabase>((done, failed) => {
        const request = indexedDB.open(name!);
        request.onsuccess = () => done(request.result);
        request.onerror = () => failed(request.error);
      });
      for (const store of opened.objectStoreNames) {
        databases.push(
          await new Promise((done, failed) => {
            const request = opened.transaction(store).objectStore(store).getAll();
            request.onsuccess = () => done(request.result);
            request.onerror = () => failed(request.error);
          }),
        );
      }
      opened.close();
    }
    const caches = await Promise.all((await self.caches.keys()).map(async (name) => (await self.caches.open(name)).keys()));
    return JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      databases,
      caches.flat().map((request) => request.url),
      document.cookie,
      location.href,
      history.state,
    ]);
  });
  expect(kept, 'the draft is kept, so this looks at the right place').toContain('a draft to keep');
  for (const token of tokens) {
    expect(kept.includes(token)).toBe(false);
    expect(addresses.filter((address) => address.includes(token))).toEqual([]);
  }
  expect(kept).not.toMatch(/eyJ[\w-]{10,}/);
  expect(addresses.filter((address) => /eyJ[\w-]{10,}/.test(address))).toEqual([]);
});

test('after logging out nothing of the conversation is left for the next person at the same browser', async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann', 'bob');
  await people.account('cleo').then((cleo) => cleo.join(room));
  await ann.says('between you and me');
  await ann.hasTick('between you and me', 'stored');
  await ann.screen.composer().fill('a half-written secret');
  await ann.screen.button('Log out').click();
  await ann.isAskedToLogIn();
  const kept = await ann.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(kept).not.toContain('between you and me');

  await ann.logsIn('cleo');
  await ann.goes(`/r/${room.id}`);
  await expect(ann.screen.me()).toContainText('@cleo');
  await expect(ann.screen.composer()).toHaveValue('');
  await ann.screen.button('Log out').click();
  await ann.isAskedToLogIn();

  // A draft is its author's, and is there again for her alone.
  await ann.logsIn('ann');
  await ann.goes(`/r/${room.id}`);
  await expect(ann.screen.me()).toContainText('@ann');
  await expect(ann.screen.composer()).toHaveValue('a half-written secret');
});
