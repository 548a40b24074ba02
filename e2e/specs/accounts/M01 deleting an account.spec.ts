// An account is deleted by its owner: what goes, what stays, and what others see of it, at once and later.

import { PASSWORD, call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('who deletes their account is gone, and what they wrote stays without a name', async ({ people, server }) => {
  const { ann, bob, room } = await people.together('kitchen', 'bob', 'ann');
  await ann.says('I was here');
  await bob.sees('I was here');
  const direct = await bob.api.direct('ann');
  await bob.api.send(direct, 'do not go');
  const talk = await bob.opensATab();
  await talk.opens(direct);
  const elsewhere = await people.signIn(ann.api);
  await elsewhere.goes('/');
  await expect(elsewhere.screen.me()).toContainText('@ann');

  await ann.goes('/settings');
  await ann.screen.button('Delete account…').click();
  const dialog = ann.screen.dialog('Delete your account?');
  await expect(dialog).toContainText('This cannot be undone');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(ann.screen.note('deletion_password')).toContainText('Enter your password');
  await dialog.getByLabel('Password', { exact: true }).fill('not the password at all');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(ann.screen.note('deletion_password')).toContainText('This is not your password');
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await ann.isAskedToLogIn();
  await elsewhere.isAskedToLogIn();
  await ann.logsIn('ann');
  await expect(ann.screen.alert()).toContainText('Wrong username or password');

  // Where others look at that moment.
  await expect(bob.screen.events().filter({ hasText: 'Deleted user left the room' })).toHaveCount(1);
  await expect(bob.screen.log()).not.toContainText('Ann');
  await expect(bob.screen.log()).toContainText('Deleted user');
  await bob.sees('I was here');
  await expect(bob.screen.person('ann')).toHaveCount(0);
  await expect(talk.screen.composer()).toHaveCount(0);
  await expect(talk.page.getByText('the conversation can be read, not written')).toBeVisible();
  await talk.sees('do not go');

  // And later.
  await bob.page.reload();
  await bob.isIn(room);
  await expect(bob.screen.log()).toContainText('Deleted user');
  await expect(bob.screen.directs()).toContainText('Deleted user');
  await bob.page.keyboard.press('Control+k');
  await bob.screen.jump().fill('ann');
  await expect(bob.page.getByText('Nobody and nothing of that name')).toBeVisible();
  const form = { username: 'ann', email: 'other@example.org', password: PASSWORD };
  expect((await call(server.origin, 'POST', '/api/v1/auth/register', form)).status).toBe(409);
});

test('the last owner is told which rooms need another one first', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.goes('/settings');
  await ann.screen.button('Delete account…').click();
  const dialog = ann.screen.dialog('Delete your account?');
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(dialog.getByRole('alert')).toContainText('kitchen');
  await ann.api.ask('PUT', `/rooms/${room.id}/members/${bob.user.id}`, { role: 'owner' });
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await ann.isAskedToLogIn();
  await bob.says('now it is mine');
});

test('a guest is gone without a password', async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann');
  const guest = await people.visitor();
  await guest.goes(`/join/${await ann.api.code(room)}`);
  await guest.page.getByLabel('Your name').fill('Pilar');
  await guest.screen.button('Come in').click();
  await expect(guest.screen.log()).toBeVisible();
  await guest.goes('/settings');
  await guest.screen.button('Delete account…').click();
  const dialog = guest.screen.dialog('Delete your account?');
  await expect(dialog.getByLabel('Password', { exact: true })).toHaveCount(0);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await guest.isAskedToLogIn();
});
