// The maker of a room runs it: name, topic, visibility, code, roles, removing, banning, archive. Everybody sees it at once.

import { expect, test } from '../../fixtures/test.ts';

test('an admin renames the room, and everybody sees it', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.button('Room settings').click();
  const dialog = ann.screen.dialog('Room settings');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.locator('#name-note')).not.toBeEmpty();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('garden');
  await dialog.getByRole('textbox', { name: 'Topic' }).fill('Beds and seeds');
  await dialog.getByRole('radio', { name: 'Private' }).check();
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  for (const person of [ann, bob]) {
    await expect(person.screen.title()).toHaveText('garden');
    await expect(person.screen.topic()).toHaveText('Beds and seeds');
    await expect(person.screen.roomLink(room.id)).toContainText('garden');
    await expect(person.screen.events().filter({ hasText: 'Ann renamed the room to garden' })).toBeVisible();
    await expect(person.screen.events().filter({ hasText: 'Ann made the room private' })).toBeVisible();
  }
  await expect(bob.screen.button('Room settings'), 'members have no settings').toHaveCount(0);
});

test('a name that is taken is said beside the field, and what was typed stays', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.api.createRoom('Kitchen');
  await ann.opens(await ann.api.createRoom('garden'));
  await ann.screen.button('Room settings').click();
  const dialog = ann.screen.dialog('Room settings');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('kitchen');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.locator('#name-note')).toContainText('Another room has this name');
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toHaveValue('kitchen');
});

test('the join code is renewed, switched off and on again', async ({ people }) => {
  const ann = await people.person('ann');
  const bobs = await people.account('bob');
  const room = await ann.api.createRoom('kitchen', '', 'private');
  await ann.opens(room);
  const first = await ann.api.code(room);
  await ann.screen.button('Room settings').click();
  const dialog = ann.screen.dialog('Room settings');
  await dialog.getByRole('button', { name: 'New code' }).click();
  await expect(dialog.getByTestId('join-code')).not.toContainText(first);
  const second = await ann.api.code(room);
  expect((await bobs.raw('POST', '/rooms/join', { code: first })).status).toBe(404);

  await dialog.getByRole('button', { name: 'Switch off' }).click();
  await expect(dialog.getByTestId('join-code')).toHaveCount(0);
  expect((await bobs.raw('POST', '/rooms/join', { code: second })).status).toBe(404);
  await dialog.getByRole('button', { name: 'Switch on' }).click();
  await expect(dialog.getByTestId('join-code')).toBeVisible();
  await bobs.join(room, await ann.api.code(room));
});

test('an owner makes an admin and hands the room over; the last owner cannot go', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('radio', { name: 'admin' }).check();
  await expect(bob.screen.button('Room settings')).toBeVisible();
  await expect(bob.screen.events().filter({ hasText: 'Ann made Bob admin' })).toBeVisible();

  await ann.page.keyboard.press('Escape');
  await ann.screen.button('Leave the room').click();
  await ann.screen.button('Leave').click();
  await ann.seesToast(/owner/);
  await ann.isIn(room);

  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('radio', { name: 'owner' }).check();
  await expect(bob.screen.person('bob')).toContainText('owner');
  await ann.page.keyboard.press('Escape');
  await ann.screen.button('Leave the room').click();
  await ann.screen.button('Leave').click();
  await ann.isOn('/');
});

test('who is removed can come back, and who is banned cannot', async ({ people }) => {
  const { ann, bob, cleo, room } = await people.together('kitchen', 'ann', 'bob', 'cleo');
  await bob.says('I was here');
  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('button', { name: 'Remove' }).click();
  await ann.screen.button('Remove').click();
  await expect(cleo.screen.events().filter({ hasText: 'Ann removed Bob' })).toBeVisible();
  await expect(bob.screen.roomLink(room.id)).toHaveCount(0);
  await cleo.sees('I was here');
  await bob.api.join(room);

  await ann.screen.person('bob').click();
  await ann.screen.dialog('Bob').getByRole('button', { name: 'Ban' }).click();
  await ann.screen.button('Ban').click();
  await expect(cleo.screen.person('bob')).toHaveCount(0);
  expect((await bob.api.raw('POST', `/rooms/${room.id}/join`)).status).toBeGreaterThanOrEqual(403);
  await bob.goes(`/r/${room.id}`);
  await bob.finds('nothing');

  await ann.screen.button('Room settings').click();
  const settings = ann.screen.dialog('Room settings');
  await settings.getByRole('list', { name: 'Banned' }).getByRole('listitem').filter({ hasText: 'Bob' }).getByRole('button', { name: 'Let back in' }).click();
  await expect(settings.getByRole('list', { name: 'Banned' })).toHaveCount(0);
  await expect(cleo.screen.events().filter({ hasText: 'Ann lets Bob come back' })).toBeVisible();
  await bob.api.join(room);
  await bob.opens(room);
});

test('an archived room stays readable, and is opened again', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await bob.says('still there');
  await ann.screen.button('Room settings').click();
  await ann.screen.dialog('Room settings').getByRole('button', { name: 'Archive the room' }).click();
  await expect(bob.screen.composer()).toBeHidden();
  await bob.sees('still there');
  await ann.screen.button('Room settings').click();
  await ann.screen.dialog('Room settings').getByRole('button', { name: 'Open the room again' }).click();
  await expect(bob.screen.composer()).toBeEditable();
  await bob.says('and on it goes');
  await ann.sees('and on it goes');
});
