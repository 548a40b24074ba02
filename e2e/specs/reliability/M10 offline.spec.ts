// Without a network: what is written is kept, also over a reload, and goes out once and in order when it is back.

import { expect, test } from '../../fixtures/test.ts';

test('three lines written offline survive a reload and arrive once, in order', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('still online');
  await bob.sees('still online');
  await ann.losesTheNetwork();
  for (const text of ['offline one', 'offline two', 'offline three']) {
    await ann.says(text);
  }
  // A reload without a network shows the browser's own error page, unless the page was installed. What already lay in the
  // browser's own buffer may get out on the way: one line more that must not come twice.
  await ann.page.reload().catch(() => undefined);
  await ann.isBackOnline();
  await ann.opens(room);
  const all = ['still online', 'offline one', 'offline two', 'offline three'];
  await ann.seesExactly(all);
  await bob.seesExactly(all);
  expect(await ann.api.bodies(room)).toEqual(all);
});

test('three lines written offline arrive by themselves when the network is back', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.losesTheNetwork();
  for (const text of ['offline one', 'offline two', 'offline three']) {
    await ann.says(text);
  }
  await bob.says('Bob meanwhile');
  await ann.isBackOnline();
  await expect.poll(() => ann.api.bodies(room), { timeout: 30_000 }).toHaveLength(4);
  const all = await ann.api.bodies(room);
  expect(all.filter((body) => body.startsWith('offline'))).toEqual(['offline one', 'offline two', 'offline three']);
  await ann.seesExactly(all);
  await bob.seesExactly(all);
});

test('two tabs send what was written offline once', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const second = await ann.opensATab();
  await second.opens(room);
  await ann.losesTheNetwork();
  await ann.says('from the first tab');
  await second.says('from the second tab');
  await ann.isBackOnline();
  await expect.poll(async () => (await ann.api.bodies(room)).sort(), { timeout: 30_000 }).toEqual([
    'from the first tab',
    'from the second tab',
  ]);
  const truth = await ann.api.bodies(room);
  for (const reader of [ann, second, bob]) {
    await reader.seesExactly(truth);
  }
});
