// In a program that this one replaces, the sender's name was taken from what the client said.

import { randomUUID } from 'node:crypto';

import { expect, test } from '../../fixtures/test.ts';

const FORGED = [
  { author: { username: 'ann', display_name: 'Ann' } },
  { sender: 'ann' },
  { sender_id: 'ANN' },
  { user: 'ANN' },
  { username: 'ann' },
  { display_name: 'Ann' },
];

test('a client that calls itself somebody else is refused, over REST and over the socket', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const forged = FORGED.map((extra) => JSON.parse(JSON.stringify(extra).replace('ANN', ann.user.id)) as object);
  for (const extra of forged) {
    const form = { client_id: randomUUID(), body: 'I am Ann', ...extra };
    const answer = await bob.api.raw<{ error: { code: string } }>('POST', `/rooms/${room.id}/messages`, form);
    expect(answer.status, JSON.stringify(extra)).toBe(400);
  }
  // A client of Bob's own making, from Bob's own browser.
  const frames = await bob.page.evaluate(
    async ({ token, sends }) => {
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/v1/ws`);
      const got: { type: string }[] = [];
      await new Promise<void>((done) => {
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data as string) as { type: string };
          got.push(frame);
          if (frame.type === 'welcome') {
            sends.forEach((send) => socket.send(JSON.stringify(send)));
          }
          if (frame.type === 'ack') {
            done();
          }
        };
        socket.onclose = () => done();
        socket.onopen = () => socket.send(JSON.stringify({ type: 'hello', token }));
      });
      socket.close();
      return got;
    },
    {
      token: bob.api.session.access_token,
      sends: [
        ...forged.slice(0, 1).map((extra) => ({
          type: 'send',
          client_id: randomUUID(),
          room: room.id,
          body: 'I am Ann',
          ...extra,
        })),
        { type: 'send', client_id: randomUUID(), room: room.id, body: 'I am Bob' },
      ],
    },
  );
  expect(frames.filter((frame) => frame.type === 'error').length).toBeGreaterThanOrEqual(1);
  const message = await ann.sees('I am Bob');
  await expect(message).toHaveAttribute('data-author', 'bob');
  await ann.doesNotSee('I am Ann');
  const stored = await ann.api.messages(room);
  expect(stored.map(({ body, author }) => [body, author.username])).toEqual([['I am Bob', 'bob']]);
});

test('everybody sees the name of the account, whatever the browser of the sender has stored', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.page.evaluate(() => {
    for (const store of [localStorage, sessionStorage]) {
      for (const key of ['username', 'name', 'user', 'sender', 'display_name', 'nickname']) {
        store.setItem(key, 'ann');
      }
    }
  });
  await bob.page.reload();
  await bob.says('guess who');
  await expect(await ann.sees('guess who')).toHaveAttribute('data-author', 'bob');
});
