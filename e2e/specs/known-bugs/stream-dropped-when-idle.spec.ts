// In a program that this one replaces, the event stream dropped after seconds of idleness.

import { expect, test } from '../../fixtures/test.ts';

test.use({ wired: true });

const IDLE_MS = 45_000;

test('an idle event stream stays open, longer than any keep-alive of the server', async ({ people, wire }) => {
  test.setTimeout(IDLE_MS + 90_000);
  wire.blockWebSockets();
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('streaming');
  await bob.sees('streaming', 30_000);
  await bob.isLive();
  const ended: string[] = [];
  bob.page.on('requestfinished', (request) => request.url().includes('/api/v1/events') && ended.push('finished'));
  bob.page.on('requestfailed', (request) => request.url().includes('/api/v1/events') && ended.push('failed'));
  const since = Date.now();
  await expect
    .poll(
      () => {
        expect(ended, 'the stream is still the same one').toEqual([]);
        return Date.now() - since;
      },
      { timeout: IDLE_MS + 30_000, intervals: [1_000] },
    )
    .toBeGreaterThanOrEqual(IDLE_MS);
  await ann.says('still streaming');
  await bob.sees('still streaming', 3_000);
  expect(ended).toEqual([]);
});
