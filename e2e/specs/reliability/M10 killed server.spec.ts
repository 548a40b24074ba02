// The server is killed with -9 while people type, and started again.

import { type Person } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

/** Says these lines one after the other, as fast as the page takes them. */
async function says(person: Person, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) {
    await person.says(`${person.user.username} ${n}`);
  }
}

test('all messages are there once and in one order after a kill -9 while both type', async ({ people, server }) => {
  test.slow();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await Promise.all([says(ann, 1, 4), says(bob, 1, 4)]);
  // Under way while both go on typing: in flight, while it is down, and while it comes back.
  await Promise.all([
    says(ann, 5, 10),
    says(bob, 5, 10),
    (async () => {
      await server.kill9();
      await server.start();
    })(),
  ]);
  await Promise.all([says(ann, 11, 12), says(bob, 11, 12)]);

  await expect.poll(async () => (await ann.api.bodies(room)).length, { timeout: 40_000 }).toBe(24);
  const truth = await ann.api.bodies(room);
  for (const name of ['ann', 'bob']) {
    const own = truth.filter((body) => body.startsWith(name));
    expect(own).toEqual(Array.from({ length: 12 }, (_, n) => `${name} ${n + 1}`));
  }
  for (const person of [ann, bob]) {
    await person.isLive();
    await person.seesExactly(truth);
  }
  await bob.page.reload();
  await bob.isIn(room);
  await bob.seesExactly(truth);
});

test('three kills in a row lose and double nothing', async ({ people, server }) => {
  test.slow();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  for (let kill = 1; kill <= 3; kill += 1) {
    await Promise.all([ann.says(`ann ${kill}`), bob.says(`bob ${kill}`), server.kill9()]);
    await server.start();
    await expect.poll(() => ann.api.bodies(room), { timeout: 40_000 }).toHaveLength(2 * kill);
  }
  const truth = await ann.api.bodies(room);
  expect([...truth].sort()).toEqual(['ann 1', 'ann 2', 'ann 3', 'bob 1', 'bob 2', 'bob 3']);
  await ann.seesExactly(truth);
  await bob.seesExactly(truth);
});
