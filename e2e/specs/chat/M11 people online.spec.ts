// Who is online stands at the right and follows what people do.

import { expect, test } from '../../fixtures/test.ts';

test('people come and go in the list without a reload', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  const bobs = await people.account('bob');
  await bobs.join(room);
  await ann.opens(room);
  await ann.seesOffline('bob');
  await expect(ann.screen.people().getByRole('list', { name: /^Offline/ })).toContainText('Bob');

  const bob = await people.signIn(bobs);
  await bob.opens(room);
  await ann.seesToast('Bob is online');
  await ann.seesOnline('bob');
  await expect(ann.screen.people().getByRole('list', { name: /^Online/ })).toContainText('Bob');

  await bob.page.close();
  await ann.seesToast('Bob went offline');
  await ann.seesOffline('bob');
});

test('a reload is not a departure', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const seen: string[] = [];
  await ann.page.exposeFunction('changed', (online: string) => seen.push(online));
  await ann.screen.person('bob').evaluate((row) => {
    const tell = (window as unknown as { changed(online: string | null): void }).changed;
    new MutationObserver(() => tell(row.getAttribute('data-online'))).observe(row, { attributes: true });
  });
  await bob.page.reload();
  await bob.isIn(room);
  await bob.says('still here');
  await ann.sees('still here');
  await ann.seesOnline('bob');
  expect(seen.filter((online) => online === 'false')).toEqual([]);
});
