// In a program that this one replaces, a refresh of the page logged people out.

import { expect, test } from '../../fixtures/test.ts';

test('refreshing again and again, in two tabs at once, logs nobody out', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const second = await ann.opensATab();
  await second.opens(room);
  for (let time = 1; time <= 5; time += 1) {
    await Promise.all([ann.page.reload(), second.page.reload()]);
    await Promise.all([ann.isIn(room), second.isIn(room)]);
  }
  // Impatient: a refresh on top of a refresh, so that an answer with a new cookie may be lost on its way.
  for (let time = 1; time <= 5; time += 1) {
    const asked = ann.page.waitForRequest('**/api/v1/auth/refresh');
    await ann.page.reload({ waitUntil: 'commit' });
    await asked;
  }
  await ann.isIn(room);
  await ann.says('still me');
  await bob.sees('still me');
  await second.sees('still me');
  expect((await ann.context.cookies()).length).toBe(1);
});
