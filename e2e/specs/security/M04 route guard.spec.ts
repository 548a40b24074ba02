// Nothing of a room without a login and without being in it, and never a hint that it is there.

import { randomUUID } from 'node:crypto';

import { call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

for (const page of ['/', '/browse', '/settings', '/u/ann', '/r/ROOM']) {
  test(`${page} asks to log in first and comes back afterwards`, async ({ people }) => {
    const anns = await people.account('ann');
    const room = await anns.createRoom('kitchen');
    await anns.send(room, 'nobody may see this');
    const path = page.replace('ROOM', room.id);
    const visitor = await people.visitor();
    const asked: string[] = [];
    visitor.page.on('response', async (answer) => {
      if (answer.url().includes('/api/') && answer.ok()) {
        asked.push(answer.url());
      }
    });
    await visitor.goes(path);
    await visitor.isAskedToLogIn();
    await expect(visitor.page.getByText('nobody may see this')).toHaveCount(0);
    expect(asked, 'no call of the API was answered').toEqual([]);
    await visitor.logsIn('ann');
    await visitor.isOn(path);
    await expect(visitor.screen.me()).toContainText('@ann');
  });
}

test('after the login nobody is sent to another site', async ({ people }) => {
  await people.account('ann');
  for (const next of ['https://example.org/', '//example.org/', '/\\example.org', 'javascript:alert(1)']) {
    const visitor = await people.visitor();
    await visitor.goes(`/login?next=${encodeURIComponent(next)}`);
    await visitor.logsIn('ann');
    await expect(visitor.screen.me()).toContainText('@ann');
    expect(new URL(visitor.page.url()).origin).toBe(visitor.origin);
  }
});

test('a foreign room and a room that is not there look the same, and show nothing', async ({ people }) => {
  const ann = await people.account('ann');
  const room = await ann.createRoom('very secret plans', 'hidden topic', 'private');
  await ann.send(room, 'nobody may see this');
  const bob = await people.person('bob');
  const answers: string[] = [];
  bob.page.on('response', async (answer) => {
    if (answer.url().includes('/api/')) {
      answers.push(await answer.text().catch(() => ''));
    }
  });
  const shown: string[] = [];
  for (const id of [room.id, randomUUID(), randomUUID().toUpperCase()]) {
    await bob.goes(`/r/${id}`);
    await bob.finds('nothing');
    await expect(bob.screen.link('Back to your rooms')).toBeVisible();
    await expect(bob.screen.composer()).toHaveCount(0);
    shown.push(await bob.page.locator('main').innerText());
  }
  expect(new Set(shown).size, 'all pages say the same').toBe(1);
  for (const secret of ['very secret plans', 'hidden topic', 'nobody may see this']) {
    expect(answers.filter((text) => text.includes(secret))).toEqual([]);
  }
  for (const path of ['/r/not-an-id', '/r/1', '/r/', '/rooms']) {
    await bob.goes(path);
    await bob.finds('nothing');
  }
});

test('every call about a foreign room is answered as if it were not there', async ({ people, server }) => {
  const ann = await people.account('ann');
  const room = await ann.createRoom('very secret plans', '', 'private');
  const seq = await ann.send(room, 'nobody may see this');
  const bob = await people.account('bob');
  const calls: [string, string, unknown?][] = [
    ['GET', ''],
    ['PATCH', '', { name: 'mine now' }],
    ['GET', '/members'],
    ['GET', '/messages'],
    ['GET', '/entries?after=0'],
    ['GET', '/code'],
    ['POST', '/join'],
    ['POST', '/messages', { client_id: randomUUID(), body: 'hello' }],
    ['PATCH', `/messages/${seq}`, { client_id: randomUUID(), body: 'changed' }],
    ['PUT', '/read', { seq }],
  ];
  for (const [method, rest, body] of calls) {
    const what = `${method} ${rest}`;
    const foreign = await bob.raw<{ error: { code: string; message: string } }>(method, `/rooms/${room.id}${rest}`, body);
    const unknown = await bob.raw<{ error: { code: string; message: string } }>(
      method,
      `/rooms/${randomUUID()}${rest}`,
      body,
    );
    expect([foreign.status, foreign.body.error.code, foreign.body.error.message], what).toEqual([
      unknown.status,
      unknown.body.error.code,
      unknown.body.error.message,
    ]);
    expect(foreign.status, what).toBe(404);
    expect((await call(server.origin, method, `/api/v1/rooms/${room.id}${rest}`, body)).status, what).toBe(401);
  }
  expect(await ann.bodies(room)).toEqual(['nobody may see this']);
});

test('somebody who is removed from a room sees it go at once', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('between us');
  await bob.sees('between us');
  await ann.api.ask('DELETE', `/rooms/${room.id}/members/${bob.user.id}?ban=true`);
  await expect(bob.screen.roomLink(room.id)).toHaveCount(0);
  await expect(bob.page.getByText('between us')).toHaveCount(0);
  await ann.says('after the removal');
  await bob.goes(`/r/${room.id}`);
  await bob.finds('nothing');
});
