// The log of events as administrators read it: in words, by kind, person and time, page by page.

import { PASSWORD, call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('what happened is told in words and found by kind, person and time', async ({ people, server }) => {
  const ada = await people.account('ada');
  server.administers('grant', 'ada');
  const [ann, bob] = [await people.account('ann'), await people.account('bob')];
  const room = await ann.createRoom('kitchen');
  await bob.join(room);
  await call(server.origin, 'POST', '/api/v1/auth/login', { username: 'bob', password: 'not the password at all' });

  const reader = await people.signIn(ada);
  const { screen } = reader;
  const line = (text: string) => screen.eventLines().filter({ hasText: text });
  await reader.goes('/admin/events');
  await expect(line('@ann made the room kitchen')).toHaveCount(1);
  await expect(line('@bob joined kitchen')).toHaveCount(1);
  await expect(line('@ada was made an administrator at the machine')).toHaveCount(1);
  await expect(line('A login failed: bob')).toContainText('127.0.0.1');

  await reader.page.getByLabel('What').selectOption({ label: 'Rooms' });
  await expect(screen.eventLines()).toHaveCount(2);
  await reader.page.getByLabel('What').selectOption({ label: 'login_failed' });
  await expect(screen.eventLines()).toHaveCount(1);

  await reader.page.getByLabel('What').selectOption({ label: 'What people did' });
  await screen.field('Username').fill('@bob');
  await screen.button('Show').click();
  await expect(line('@ann made the room')).toHaveCount(0);
  await expect(line('@bob made an account')).toHaveCount(1);
  await screen.field('Username').fill('no such name!');
  await screen.button('Show').click();
  await expect(screen.note('person')).toContainText('Only lower case letters');
  await screen.field('Username').fill('nobody-here');
  await screen.button('Show').click();
  await expect(reader.page.getByText('No such events')).toBeVisible();

  await screen.field('Username').fill('');
  await reader.page.getByLabel('Until').fill('2020-01-01T00:00');
  await screen.button('Show').click();
  await expect(reader.page.getByText('No such events')).toBeVisible();
  await reader.page.getByLabel('Until').fill('');
  await reader.page.getByLabel('From').fill('2020-01-01T00:00');
  await screen.button('Show').click();
  await expect(line('@ann made the room kitchen')).toHaveCount(1);
});

test('older events come page by page', async ({ people, server }) => {
  const ada = await people.account('ada');
  server.administers('grant', 'ada');
  for (let round = 0; round < 60; round += 1) {
    await call(server.origin, 'POST', '/api/v1/auth/login', { username: 'ada', password: PASSWORD });
  }
  const reader = await people.signIn(ada);
  await reader.goes('/admin/events');
  await expect(reader.screen.eventLines()).toHaveCount(50);
  await reader.screen.button('Show more').click();
  // 61 logins and the one of this browser, the account, and the order at the machine.
  await expect(reader.screen.eventLines()).toHaveCount(63);
  await expect(reader.screen.button('Show more')).toHaveCount(0);
});

test('the log speaks German as well', async ({ people, server }) => {
  const ada = await people.account('ada');
  server.administers('grant', 'ada');
  await ada.createRoom('kitchen');
  const reader = await people.signIn(ada, { locale: 'de-DE' });
  await reader.goes('/admin/events');
  await expect(reader.screen.eventLines().filter({ hasText: '@ada hat den Raum kitchen angelegt' })).toHaveCount(1);
});
