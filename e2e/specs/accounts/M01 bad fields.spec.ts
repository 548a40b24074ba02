// Every kind of bad field says why, beside the field, and nothing is created.

import { call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

interface Form {
  username: string;
  email: string;
  display_name: string;
  password: string;
}

const GOOD: Form = {
  username: 'newcomer',
  email: 'newcomer@example.org',
  display_name: 'Newcomer',
  password: 'four brown kettles sing',
};

const BAD: [what: string, field: keyof Form, typed: string, why: RegExp][] = [
  ['no username', 'username', '', /Choose a username/],
  ['a username with capitals', 'username', 'Newcomer', /lower case/],
  ['a username with a blank', 'username', 'new comer', /lower case/],
  ['a username with a letter that only looks Latin', 'username', 'nеwcomer', /lower case/],
  ['a username that is too short', 'username', 'nc', /At least 3 characters/],
  ['a username that is too long', 'username', 'n'.repeat(33), /At most 32 characters/],
  ['a reserved username', 'username', 'admin', /reserved/],
  ['a taken username', 'username', 'ann', /taken/],
  ['no e-mail address', 'email', '', /e-mail address/],
  ['an e-mail address without a host', 'email', 'newcomer@', /not an e-mail address/],
  ['an e-mail address without a domain', 'email', 'newcomer@example', /not an e-mail address/],
  ['an e-mail address with a blank', 'email', 'new comer@example.org', /not an e-mail address/],
  ['a display name that is too long', 'display_name', 'n'.repeat(65), /At most 64 characters/],
  ['no password', 'password', '', /Choose a password/],
  ['a short password', 'password', 'kettles 9', /At least 10 characters/],
  ['a password that everybody tries', 'password', 'password1234567', /\w+/],
  ['a password that repeats the username', 'password', 'newcomernewcomer', /\w+/],
];

for (const [what, field, typed, why] of BAD) {
  test(`${what} is refused beside the field`, async ({ people, server }) => {
    const ann = await people.account('ann');
    const visitor = await people.visitor();
    const { screen } = visitor;
    await visitor.goes('/register');
    const form = { ...GOOD, [field]: typed };
    await screen.field('Username').fill(form.username);
    await screen.field('Email').fill(form.email);
    await screen.field('Display name').fill(form.display_name);
    await screen.password().fill(form.password);
    await screen.button('Create account').click();

    await expect(screen.note(field)).toHaveText(why);
    const input = visitor.page.locator(`[aria-describedby~="${field}-note"][aria-invalid="true"]`);
    await expect(input).toHaveCount(1);
    await expect(visitor.page.locator('[aria-invalid="true"]')).toHaveCount(1);
    await expect(screen.title()).toHaveText('Create your account');

    const found = await ann.ask<{ items: unknown[] }>('GET', '/users?q=n');
    expect(found.items, 'nobody was created').toEqual([]);
    const login = await call(server.origin, 'POST', '/api/v1/auth/login', {
      username: form.username,
      password: form.password,
    });
    expect(login.status).toBeGreaterThanOrEqual(400);
  });
}
