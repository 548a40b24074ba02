// Programs in a room: an administrator makes a webhook or a bot, its secret is shown once, what it says appears live with
// its label, and a secret that was revoked is worth nothing.

import { AxeBuilder } from '@axe-core/playwright';
import type { Locator } from '@playwright/test';

import { call } from '../../fixtures/api.ts';
import type { Person } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

/** Opens the dialog by its way through the room's settings. */
async function opensIntegrations(person: Person): Promise<Locator> {
  await person.screen.button('Room settings').click();
  await person.screen.dialog('Room settings').getByRole('button', { name: 'Integrations…' }).click();
  const dialog = person.screen.dialog('Integrations');
  await expect(dialog).toBeVisible();
  return dialog;
}

/** Makes one by the form and returns what it shows. */
async function makes(dialog: Locator, name: string, kind: 'Webhook' | 'Bot'): Promise<string> {
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByText(kind, { exact: true }).last().click();
  await dialog.getByRole('button', { name: 'Make', exact: true }).click();
  return dialog.getByTestId('integration-secret').innerText();
}

test('a webhook speaks live under its name, and a revoked one is refused', async ({ people, server }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const dialog = await opensIntegrations(ann);
  await expect(dialog).toContainText('None so far.');
  await dialog.getByRole('button', { name: 'Make', exact: true }).click();
  await expect(dialog.locator('#name-note')).not.toBeEmpty();
  const url = await makes(dialog, 'Build', 'Webhook');
  expect(url).toMatch(new RegExp(`^${server.origin}/api/v1/hooks/natter_hook_[\\w-]{43}$`));
  await expect(bob.screen.events().filter({ hasText: 'Build joined' })).toBeVisible();

  const post = (text: string, key?: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(key ? { 'Idempotency-Key': key } : {}) },
      body: JSON.stringify({ text }),
    });
  expect((await post('The build is green', 'build 7')).status).toBe(201);
  expect((await post('The build is green', 'build 7')).status, 'a repeat is the same message').toBe(200);
  const said = await bob.sees('The build is green');
  await expect(said.locator('.who')).toContainText('Build');
  await expect(said.locator('.who em')).toHaveText('bot');

  // Shown once: what is listed afterwards has no secret, nor has what the server answers.
  await dialog.getByRole('button', { name: 'Done' }).click();
  const line = dialog.getByTestId('integration');
  await expect(line).toContainText('Made by Ann');
  await expect(line).toContainText('last used');
  await expect(ann.page.locator('body')).not.toContainText('natter_hook_');
  const listed = await ann.api.raw('GET', `/rooms/${room.id}/integrations`);
  expect(JSON.stringify(listed.body)).not.toContain('natter_hook_');

  await line.getByRole('button', { name: 'Revoke' }).click();
  await ann.screen.dialog('Revoke Build?').getByRole('button', { name: 'Revoke' }).click();
  await expect(dialog.getByTestId('integration')).toHaveAttribute('data-live', 'false');
  await expect(bob.screen.events().filter({ hasText: 'Ann removed Build' })).toBeVisible();
  expect((await post('Too late')).status).toBe(404);
  await bob.sees('The build is green');
  await bob.doesNotSee('Too late');
  expect(server.log).not.toContain('natter_hook_S');
  expect(/natter_hook_[\w-]{20}/.test(server.log), 'a secret stands in the log').toBe(false);
});

test('a bot reads and writes by its token, is renewed, and holds up no tick', async ({ people, server }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const dialog = await opensIntegrations(ann);
  const token = await makes(dialog, 'Clerk', 'Bot');
  expect(token).toMatch(/^natter_bot_[\w-]{43}$/);
  await dialog.getByRole('button', { name: 'Done' }).click();
  await ann.page.keyboard.press('Escape');

  await ann.says('Is anybody there?');
  await ann.hasTick('Is anybody there?', 'read');
  const path = `/api/v1/rooms/${room.id}/messages`;
  const read = await call<{ messages: { body: string }[] }>(server.origin, 'GET', path, undefined, token);
  expect(read.body.messages.map((message) => message.body)).toEqual(['Is anybody there?']);
  const form = { client_id: crypto.randomUUID(), body: 'I am a program' };
  expect((await call(server.origin, 'POST', path, form, token)).status).toBe(201);
  await bob.sees('I am a program');

  // In the list it is a bot that is never online, and nobody is offered to write to it alone.
  const clerk = bob.screen.people().getByTestId('person').filter({ hasText: 'Clerk' });
  await expect(clerk).toContainText('bot');
  await expect(clerk).toHaveAttribute('data-online', 'false');
  await clerk.click();
  await expect(bob.screen.dialog('Clerk')).toBeVisible();
  await expect(bob.screen.dialog('Clerk').getByRole('button', { name: 'Message' })).toHaveCount(0);

  const again = await opensIntegrations(ann);
  await again.getByRole('button', { name: 'Renew' }).click();
  const renewed = await again.getByTestId('integration-secret').innerText();
  expect(renewed).not.toBe(token);
  expect((await call(server.origin, 'GET', path, undefined, token)).status).toBe(401);
  expect((await call(server.origin, 'GET', path, undefined, renewed)).status).toBe(200);
  await expect(clerk, 'the old one is out, the new one is in').toHaveCount(1);
});

test('a member who administers nothing sees no such thing', async ({ people }) => {
  const { bob, room } = await people.together('kitchen', 'ann', 'bob');
  await expect(bob.screen.button('Room settings')).toHaveCount(0);
  expect((await bob.api.raw('GET', `/rooms/${room.id}/integrations`)).status).toBe(403);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`integrations are accessible, ${colorScheme}`, async ({ people }, info) => {
    const ann = await people.person('ann', { browser: { colorScheme, reducedMotion: 'reduce' } });
    const room = await ann.api.createRoom('kitchen');
    await ann.opens(room);
    const isAccessible = async (what: string) => {
      const { violations } = await new AxeBuilder({ page: ann.page }).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
      expect.soft(found, what).toEqual([]);
      await info.attach(`${what}.png`, { body: await ann.page.screenshot(), contentType: 'image/png' });
    };
    const dialog = await opensIntegrations(ann);
    await dialog.getByText('Bot', { exact: true }).last().click();
    for (const scope of ['read messages', 'write messages']) {
      await dialog.getByRole('checkbox', { name: scope }).uncheck();
    }
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Clerk');
    await dialog.getByRole('button', { name: 'Make', exact: true }).click();
    await expect(dialog.locator('#scopes-note')).not.toBeEmpty();
    await isAccessible('the form, refused');
    await dialog.getByRole('checkbox', { name: 'see the members' }).check();
    const url = await makes(dialog, 'Build', 'Webhook');
    await isAccessible('the secret');
    await fetch(url, { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'The build is green' });
    await dialog.getByRole('button', { name: 'Done' }).click();
    await expect(dialog.getByTestId('integration')).toBeVisible();
    await isAccessible('the list');
    await ann.page.keyboard.press('Escape');
    await ann.sees('The build is green');
    await isAccessible('what it said');
  });
}
