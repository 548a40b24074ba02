// One's own profile, password and logins.

import { PASSWORD } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a new display name is seen by others', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  const settings = await ann.opensATab();
  await settings.goes('/settings');
  await expect(settings.screen.title()).toHaveText('Settings');
  await settings.screen.field('Display name').fill('Ann from the garden');
  await settings.screen.button('Save profile').click();
  await expect(settings.screen.me()).toContainText('Ann from the garden');
  await ann.says('new name');
  const message = await bob.sees('new name');
  await expect(bob.screen.log()).toContainText('Ann from the garden');
  await expect(message).toHaveAttribute('data-author', 'ann');
});

test('changing the password ends the other logins', async ({ people }) => {
  const ann = await people.person('ann');
  const elsewhere = await people.signIn(ann.api);
  await elsewhere.goes('/settings');
  await expect(elsewhere.screen.sessions().first()).toBeVisible();
  await ann.goes('/settings');
  await ann.page.getByLabel('Current password', { exact: true }).fill(PASSWORD);
  await ann.page.getByLabel('New password', { exact: true }).fill('nine patient herons wait');
  await ann.screen.button('Change password').click();
  await elsewhere.isAskedToLogIn();
  await elsewhere.logsIn('ann');
  await expect(elsewhere.screen.alert()).toBeVisible();
  await elsewhere.logsIn('ann', 'nine patient herons wait');
  await expect(elsewhere.screen.me()).toContainText('@ann');
  await ann.page.reload();
  await expect(ann.screen.me()).toContainText('@ann');
});

test('a login can be ended from another one', async ({ people }) => {
  const ann = await people.person('ann');
  const elsewhere = await people.signIn(ann.api);
  await elsewhere.goes('/');
  await expect(elsewhere.screen.me()).toContainText('@ann');
  await ann.goes('/settings');
  // Three logins: this browser's, the other browser's, and the one of the spec's own calls.
  const others = ann.screen.sessions().and(ann.page.locator('[data-current="false"]'));
  await expect(others).toHaveCount(2);
  await others.first().getByRole('button', { name: 'End this login' }).click();
  await expect(others).toHaveCount(1);
  await others.first().getByRole('button', { name: 'End this login' }).click();
  await expect(others).toHaveCount(0);
  await elsewhere.isAskedToLogIn();
  await expect(ann.screen.title()).toHaveText('Settings');
});
