// A send that does not succeed loses no text: it waits, or it says why and can be tried again.

import { RECONNECT_MS } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a refused message keeps its text and can be tried again', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await bob.losesTheNetwork();
  await bob.says('written before I knew');
  await ann.api.ask('PATCH', `/rooms/${room.id}`, { archived: true });
  await bob.isBackOnline();
  await bob.hasTick('written before I knew', 'failed', RECONNECT_MS);
  const message = await bob.sees('written before I knew');
  await expect(bob.screen.tryAgain(message)).toBeVisible();
  expect(await ann.api.bodies(room)).toEqual([]);

  await ann.api.ask('PATCH', `/rooms/${room.id}`, { archived: false });
  await bob.screen.tryAgain(message).click();
  await bob.seesExactly(['written before I knew']);
  await ann.seesExactly(['written before I knew']);
  expect(await ann.api.bodies(room)).toEqual(['written before I knew']);
});

test('a refused message can be thrown away', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await bob.losesTheNetwork();
  await bob.says('not so important');
  await ann.api.ask('PATCH', `/rooms/${room.id}`, { archived: true });
  await bob.isBackOnline();
  await bob.hasTick('not so important', 'failed', RECONNECT_MS);
  const message = await bob.sees('not so important');
  await message.getByRole('button', { name: 'Throw away' }).click();
  await bob.doesNotSee('not so important');
  await bob.page.reload();
  await expect(bob.screen.log()).toBeVisible();
  await bob.doesNotSee('not so important');
});

test('a server that does not answer keeps the message waiting, and then has it once', async ({ people, server }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  server.pause();
  await ann.says('are you asleep');
  await ann.hasTick('are you asleep', 'sending');
  await ann.says('hello?');
  server.resume();
  await bob.seesExactly(['are you asleep', 'hello?']);
  await ann.seesExactly(['are you asleep', 'hello?']);
  expect(await ann.api.bodies(room)).toEqual(['are you asleep', 'hello?']);
});

test.describe('with rate limits', () => {
  test.use({ settings: { rateLimits: true } });

  test('forty lines in a hurry all arrive, once and in order', async ({ people }) => {
    test.slow();
    const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
    const lines = Array.from({ length: 40 }, (_, n) => `line ${n + 1}`);
    for (const line of lines) {
      await ann.screen.composer().fill(line);
      await ann.screen.composer().press('Enter');
    }
    await expect.poll(() => ann.api.bodies(room), { timeout: 60_000, intervals: [1_000] }).toEqual(lines);
    await ann.isLive();
    await expect(bob.screen.message('line 40')).toHaveCount(1, { timeout: 20_000 });
    await ann.hasTick('line 40', 'read', 20_000);
  });
});
