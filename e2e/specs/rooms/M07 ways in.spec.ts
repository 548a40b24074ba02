// Ways into a room: its code, its link, the directory.

import { expect, test } from '../../fixtures/test.ts';

test('the invite link leads into a private room', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('secret garden', '', 'private');
  const code = await ann.api.code(room);
  await ann.opens(room);
  const bob = await people.person('bob');
  await bob.goes(`/join/${code}`);
  await bob.isIn(room);
  await expect(bob.screen.title()).toHaveText('secret garden');
  await bob.says('the link works');
  await ann.sees('the link works');
});

test('the invite link leads somebody who is not signed in through the login into the room', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('secret garden', '', 'private');
  const code = await ann.api.code(room);
  await people.account('bob');
  const bob = await people.visitor();
  await bob.goes(`/join/${code}`);
  await bob.screen.link('Log in').click();
  await bob.isAskedToLogIn();
  await bob.logsIn('bob');
  await expect(bob.screen.title()).toHaveText('secret garden');
  await bob.isOn(`/r/${room.id}`);
});

test('a code can be typed as people type codes', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('secret garden', '', 'private');
  const code = await ann.api.code(room);
  const bob = await people.person('bob');
  await bob.goes('/browse');
  await bob.page.getByRole('textbox', { name: 'Join code' }).fill(` ${code.replace('-', ' ').toLowerCase()} `);
  await bob.screen.button('Join with code').click();
  await bob.isIn(room);
});

test('a wrong code says so', async ({ people }) => {
  const bob = await people.person('bob');
  await bob.goes('/browse');
  await bob.page.getByRole('textbox', { name: 'Join code' }).fill('ZZZZ-2222');
  await bob.screen.button('Join with code').click();
  await expect(bob.screen.note('code')).toContainText(/code/);
  await expect(bob.page.getByRole('textbox', { name: 'Join code' })).toHaveAttribute('aria-invalid', 'true');
  await bob.goes('/join/ZZZZ-2222');
  await expect(bob.screen.alert()).toContainText(/\w+/);
});

test('a public room is found in the directory and joined from there', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen', 'What is cooking');
  await ann.api.createRoom('garden');
  const bob = await people.person('bob');
  await bob.goes('/browse');
  await bob.page.getByRole('searchbox', { name: 'Search rooms' }).fill('kit');
  await expect(bob.screen.directoryRoom('kitchen')).toBeVisible();
  await expect(bob.screen.directoryRoom('garden')).toHaveCount(0);
  await bob.screen.directoryRoom('kitchen').getByRole('button', { name: /Join/ }).click();
  await expect(bob.screen.roomLink(room.id)).toBeVisible();
  await bob.opens(room);
});
