// What administrators of the server look at, and that it is there for nobody else.

import { PASSWORD, call } from '../../fixtures/api.ts';
import { type People, expect, test } from '../../fixtures/test.ts';
import type { Person } from '../../fixtures/person.ts';
import type { Server } from '../../fixtures/server.ts';

/** Somebody who administers the server, signed in since they do. */
async function administrator(people: People, server: Server): Promise<Person> {
  const account = await people.account('ada');
  server.administers('grant', 'ada');
  return people.signIn(account);
}

test('for everybody else there is no such page', async ({ people, server }) => {
  const { ann, room } = await people.together('kitchen', 'ann');
  await expect(ann.screen.link('Administration')).toHaveCount(0);
  for (const path of ['/admin', '/admin/events', '/admin/users', '/admin/rooms', '/admin/nothing']) {
    await ann.goes(path);
    await ann.finds('nothing');
  }
  for (const path of ['/admin/figures', '/admin/events', '/admin/users', '/admin/rooms', '/admin/operations']) {
    expect((await ann.api.raw('GET', path)).status, path).toBe(403);
  }

  const guest = await people.visitor();
  await guest.goes(`/join/${await ann.api.code(room)}`);
  await guest.screen.field('Display name').or(guest.page.getByLabel('Your name')).fill('Pilar');
  await guest.screen.button('Come in').click();
  await expect(guest.screen.log()).toBeVisible();
  await guest.goes('/admin');
  await guest.finds('nothing');

  // Whoever was one sees it until the page asks the server.
  const ada = await administrator(people, server);
  await ada.goes('/admin/users');
  await expect(ada.screen.account('ann')).toBeVisible();
  server.administers('revoke', 'ada');
  await ada.screen.link('Event log').click();
  await expect(ada.screen.page.getByText('There is no page at this address.')).toBeVisible();
});

test('figures are drawn, read off with pointer and keyboard, and read as a table', async ({ people, server }) => {
  const ada = await administrator(people, server);
  const room = await ada.api.createRoom('kitchen');
  for (const text of ['one', 'two', 'three', 'four', 'five']) {
    await ada.api.send(room, text);
  }
  await call(server.origin, 'POST', '/api/v1/auth/login', { username: 'ada', password: 'not the password at all' });
  // Counts are kept at the end of each minute, and when the server stops.
  await server.stop();
  await server.start();

  await ada.goes('/');
  await ada.screen.link('Administration').click();
  await expect(ada.screen.title()).toHaveText('Administration');
  await expect(ada.screen.tile('Messages sent')).toHaveText('5');
  await expect(ada.screen.tile('New accounts')).toHaveText('1');
  await ada.page.getByRole('radio', { name: 'Hour' }).check({ force: true });
  const chart = ada.screen.chart('messages');
  await expect(chart.getByRole('slider')).toHaveAttribute('aria-valuemax', '59');
  await chart.getByRole('button', { name: /Show as a table/ }).click();
  await expect(chart.getByRole('row').filter({ has: ada.page.getByRole('cell', { name: '5', exact: true }) })).toHaveCount(1);
  await expect(chart.getByRole('row')).toHaveCount(61);

  // The newest minutes are at the right; the one with the messages is one of the last.
  const slider = chart.getByRole('slider', { name: 'Messages sent' });
  await slider.focus();
  await expect(chart.getByTestId('chart-tip')).toBeVisible();
  for (let step = 0; step < 5 && !(await slider.getAttribute('aria-valuetext'))?.endsWith(': 5'); step += 1) {
    await slider.press('ArrowLeft');
  }
  await expect(slider).toHaveAttribute('aria-valuetext', /Messages sent: 5$/);
  await expect(chart.getByTestId('chart-tip')).toContainText('5');
  await slider.press('Home');
  await expect(slider).toHaveAttribute('aria-valuenow', '0');
  await ada.screen.title().click();
  await expect(chart.getByTestId('chart-tip')).toHaveCount(0);
  await chart.getByRole('slider').hover();
  await expect(chart.getByTestId('chart-tip')).toContainText('Messages sent');

  await expect(ada.screen.chart('logins').locator('.legend')).toContainText('Failed logins');
  await ada.page.getByRole('radio', { name: 'Month' }).check({ force: true });
  await expect(chart.getByRole('slider')).toHaveAttribute('aria-valuemax', '29');
  await expect(ada.screen.tile('Messages sent')).toHaveText('5');

  await expect(ada.screen.operations()).toContainText('of the node that answered', { ignoreCase: true });
  await expect(ada.screen.operations().getByRole('row').filter({ hasText: '/api/v1/auth/refresh' })).toBeVisible();
  await expect(ada.screen.operations().getByRole('row').filter({ hasText: room.id })).toHaveCount(0);
});

test('figures that cannot be read are said to be missing, and come once one tries again', async ({ people, server }) => {
  const ada = await administrator(people, server);
  await ada.page.route('**/api/v1/admin/figures*', (route) => route.abort());
  await ada.goes('/admin');
  await expect(ada.screen.alert()).toContainText("can't be reached");
  await ada.page.unroute('**/api/v1/admin/figures*');
  await ada.screen.alert().getByRole('button', { name: 'Try again' }).click();
  await expect(ada.screen.chart('errors')).toContainText('Nothing in this time');
  await expect(ada.screen.alert()).toHaveCount(0);
});

test('people are signed out and kept out after a question, and let in again', async ({ people, server }) => {
  const ada = await administrator(people, server);
  const bob = await people.person('bob');
  await bob.goes('/');
  await expect(bob.screen.me()).toContainText('@bob');
  await ada.goes('/admin/users');
  await expect(ada.screen.account('ada')).toContainText('administrator');
  await ada.page.getByRole('searchbox').fill('bo');
  await expect(ada.screen.account('ada')).toHaveCount(0);
  const line = ada.screen.account('bob');
  await expect(line).toContainText('last login Today');

  await line.getByRole('button', { name: 'Sign out' }).click();
  await ada.screen.dialog('Sign @bob out everywhere?').getByRole('button', { name: 'Cancel' }).click();
  await expect(bob.screen.me()).toContainText('@bob');
  await line.getByRole('button', { name: 'Sign out' }).click();
  await ada.screen.dialog('Sign @bob out everywhere?').getByRole('button', { name: 'Sign out' }).click();
  await ada.seesToast('@bob is signed out everywhere');
  await bob.isAskedToLogIn();
  await bob.logsIn('bob');
  await expect(bob.screen.me()).toContainText('@bob');

  await line.getByRole('button', { name: 'Disable' }).click();
  await ada.screen.dialog('Disable the account of @bob?').getByRole('button', { name: 'Disable' }).click();
  await expect(line).toContainText('disabled');
  await bob.isAskedToLogIn();
  await bob.logsIn('bob');
  await expect(bob.screen.alert()).toContainText('Wrong username or password');

  await line.getByRole('button', { name: 'Enable' }).click();
  await ada.screen.dialog('Enable the account of @bob?').getByRole('button', { name: 'Enable' }).click();
  await expect(line.getByRole('button', { name: 'Disable' })).toBeVisible();
  await bob.logsIn('bob', PASSWORD);
  await expect(bob.screen.me()).toContainText('@bob');
});

test('what could not be done is said in words', async ({ people, server }) => {
  const ada = await administrator(people, server);
  await people.account('bob');
  await ada.goes('/admin/users');
  await ada.screen.account('bob').getByRole('button', { name: 'Disable' }).click();
  await ada.losesTheNetwork();
  await ada.screen.dialog('Disable the account of @bob?').getByRole('button', { name: 'Disable' }).click();
  await ada.seesToast("The server can't be reached");
  await expect(ada.screen.account('bob')).not.toContainText('disabled');
});

test('all rooms are listed, with what they are and none of what was written', async ({ people, server }) => {
  const ada = await administrator(people, server);
  const bob = await people.account('bob');
  const attic = await bob.createRoom('attic', 'Nothing for others', 'private');
  await bob.send(attic, 'a secret');
  const cellar = await bob.createRoom('cellar');
  await bob.ask('PATCH', `/rooms/${cellar.id}`, { archived: true });
  await ada.goes('/admin/rooms');
  await expect(ada.screen.adminRoom('attic')).toContainText('Private');
  await expect(ada.screen.adminRoom('attic')).toContainText('1 member');
  await expect(ada.screen.adminRoom('cellar')).toContainText('archived');
  await expect(ada.page.locator('main')).not.toContainText('a secret');
  await ada.page.getByRole('searchbox').fill('cell');
  await expect(ada.screen.adminRoom('attic')).toHaveCount(0);
  await ada.page.getByRole('searchbox').fill('nothing like it');
  await expect(ada.page.getByText('No such room')).toBeVisible();
});
