// A name and a room's code are enough. A guest sees the room of the code, and may keep the account.

import { PASSWORD } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('an invite link lets a guest in, who chats and stays over a reload', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('garden', '', 'private');
  await ann.opens(room);
  const pilar = await people.visitor();
  await pilar.goes(`/join/${await ann.api.code(room)}`);
  await expect(pilar.screen.title()).toHaveText('Come in as a guest');
  await pilar.screen.button('Come in').click();
  await expect(pilar.screen.note('display_name')).not.toBeEmpty();
  await pilar.page.getByRole('textbox', { name: 'Your name' }).fill('Pilar');
  await pilar.screen.button('Come in').click();
  await pilar.isOn(`/r/${room.id}`);
  await ann.seesToast('Pilar joined');
  await pilar.screen.composer().fill('hello from outside');
  await pilar.screen.composer().press('Enter');
  await ann.sees('hello from outside');
  await expect(ann.screen.people()).toContainText('guest');

  await pilar.page.reload();
  await expect(pilar.screen.message('hello from outside')).toBeVisible();
  await ann.says('welcome');
  await expect(pilar.screen.message('welcome')).toBeVisible();
});

test('a guest sees the room and nothing else', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.api.createRoom('kitchen');
  const room = await ann.api.createRoom('garden', '', 'private');
  const pilar = await people.visitor();
  await pilar.goes('/login');
  await pilar.screen.link('Come in as a guest').click();
  await pilar.page.getByRole('textbox', { name: 'Your name' }).fill('Pilar');
  await pilar.page.getByRole('textbox', { name: 'Join code' }).fill('ZZZZ-2222');
  await pilar.screen.button('Come in').click();
  await expect(pilar.screen.note('code')).toContainText('Ask for a new one');
  await pilar.page.getByRole('textbox', { name: 'Join code' }).fill((await ann.api.code(room)).toLowerCase());
  await pilar.screen.button('Come in').click();
  await pilar.isOn(`/r/${room.id}`);
  await expect(pilar.screen.rooms().getByRole('listitem')).toHaveCount(1);
  await expect(pilar.screen.button('New room')).toHaveCount(0);
  await expect(pilar.screen.link('Browse rooms')).toHaveCount(0);
  await expect(pilar.screen.directs()).toHaveCount(0);
  await pilar.screen.person('ann').click();
  await expect(pilar.screen.dialog('Ann').getByRole('button', { name: 'Message' })).toHaveCount(0);
  await expect(pilar.screen.dialog('Ann').getByRole('button', { name: 'Whisper' })).toBeVisible();
});

test('a guest keeps the account, with the room and what was written', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('garden', '', 'private');
  await ann.opens(room);
  const pilar = await people.visitor();
  await pilar.goes(`/join/${await ann.api.code(room)}`);
  await pilar.page.getByRole('textbox', { name: 'Your name' }).fill('Pilar');
  await pilar.screen.button('Come in').click();
  await pilar.screen.composer().fill('I like it here');
  await pilar.screen.composer().press('Enter');
  await ann.sees('I like it here');

  await pilar.screen.link('Keep your account').click();
  await expect(pilar.screen.field('Display name')).toHaveValue('Pilar');
  await pilar.screen.field('Username').fill('ann');
  await pilar.screen.field('Email').fill('pilar@example.org');
  await pilar.screen.password().fill(PASSWORD);
  await pilar.screen.button('Create account').click();
  await expect(pilar.screen.note('username')).toContainText('taken');
  await pilar.screen.field('Username').fill('pilar');
  await pilar.screen.button('Create account').click();
  await pilar.isOn('/');
  await expect(pilar.screen.me()).toContainText('@pilar');
  await expect(pilar.screen.button('New room')).toBeVisible();

  await pilar.screen.button('Log out').click();
  await pilar.logsIn('pilar');
  await pilar.screen.roomLink(room.id).click();
  await expect(pilar.screen.message('I like it here')).toBeVisible();
});
