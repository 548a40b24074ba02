// A new account: the whole form, filled in as it should be.

import { expect, test } from '../../fixtures/test.ts';

test('somebody creates an account and is in', async ({ people }) => {
  const ann = await people.visitor();
  const { screen } = ann;
  await ann.goes('/');
  await screen.link('Create an account').click();
  await expect(ann.page).toHaveTitle('Create your account · Natter');
  await screen.field('Username').fill('ann');
  await screen.field('Email').fill('ann@example.org');
  await screen.field('Display name').fill('Ann the gardener');
  await screen.gender('Female').check();
  await screen.password().fill('four brown kettles sing');
  await screen.button('Show password').click();
  await expect(screen.password()).toHaveAttribute('type', 'text');
  await screen.button('Hide password').click();
  await expect(screen.password()).toHaveAttribute('type', 'password');
  await screen.button('Create account').click();
  await expect(screen.title()).toHaveText('Welcome to Natter');
  await expect(screen.me()).toContainText('Ann the gardener');
  await expect(screen.me()).toContainText('@ann');
});

test('the strength of the password is shown while it is typed', async ({ people }) => {
  const visitor = await people.visitor();
  await visitor.goes('/register');
  const { screen } = visitor;
  await screen.password().fill('password12');
  await expect(screen.passwordMeter()).toHaveAttribute('data-score', /^[01]$/);
  await screen.password().fill('four brown kettles sing');
  await expect(screen.passwordMeter()).toHaveAttribute('data-score', /^[34]$/);
});
