// A reload or a new tab needs no second login, and a login lasts as long as it says.

import { expect, test } from '../../fixtures/test.ts';

test('a reload stays signed in and in the room', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('before the reload');
  await bob.sees('before the reload');
  await ann.page.reload();
  await ann.isIn(room);
  await ann.sees('before the reload');
  await bob.says('after the reload');
  await ann.sees('after the reload');
});

test('a new tab stays signed in', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const tab = await ann.opensATab();
  await tab.opens(room);
  await tab.says('from the second tab');
  await ann.sees('from the second tab');
  await bob.sees('from the second tab');
  await ann.says('from the first tab');
  await tab.sees('from the first tab');
});

test.describe('with access tokens of ten seconds', () => {
  // Renewed half-way: a page on a busy machine has five seconds to show the next one.
  test.use({ settings: { accessTtl: 10 } });

  test('people chat on through several tokens, on one connection', async ({ people }) => {
    test.slow();
    const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
    const sockets: string[] = [];
    ann.page.on('websocket', (socket) => sockets.push(socket.url()));
    for (const text of ['first token', 'second token', 'third token']) {
      await ann.page.waitForResponse((answer) => answer.url().endsWith('/auth/refresh') && answer.ok());
      await ann.says(text);
      await bob.sees(text);
    }
    expect(sockets, 'no new connection was needed').toEqual([]);
  });
});

test.describe('with logins of half a minute', () => {
  // Long enough for a page to load on a busy machine while its login lives, twice.
  const LOGIN_S = 30;
  test.use({ settings: { accessTtl: 3, refreshTtl: LOGIN_S } });

  test('the end of a login asks to sign in again, and leads back to the room', async ({ people }) => {
    test.slow();
    const ann = await people.person('ann');
    const room = await ann.api.createRoom('kitchen');
    await ann.opens(room);
    await expect(ann.page).toHaveURL(/\/login/, { timeout: 2_000 * LOGIN_S });
    await ann.isAskedToLogIn();
    await ann.logsIn('ann');
    await ann.isIn(room);
  });
});
