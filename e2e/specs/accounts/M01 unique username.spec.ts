// Whether a username is free is seen while it is typed, with others to choose from; the server has the last word.

import { call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a taken username is seen while typing, and a suggestion is one click away', async ({ people }) => {
  await people.account('ann');
  const visitor = await people.visitor();
  const { screen } = visitor;
  await visitor.goes('/register');
  await screen.field('Username').pressSequentially('ann');
  await expect(screen.note('username')).toContainText('taken');
  await expect(screen.field('Username')).toHaveAttribute('aria-invalid', 'true');

  const suggestion = screen.suggestions().first();
  const free = await suggestion.innerText();
  expect(free).not.toBe('ann');
  await suggestion.click();
  await expect(screen.field('Username')).toHaveValue(free);
  await expect(screen.field('Username')).not.toHaveAttribute('aria-invalid', 'true');

  await screen.field('Email').fill('other.ann@example.org');
  await screen.password().fill('four brown kettles sing');
  await screen.button('Create account').click();
  await expect(screen.me()).toContainText(`@${free}`);
});

test('a username that was taken meanwhile is refused by the server, beside the field', async ({ people, server }) => {
  const visitor = await people.visitor();
  const { screen } = visitor;
  await visitor.goes('/register');
  const checked = visitor.page.waitForResponse((answer) => answer.url().endsWith('/auth/check'));
  await screen.field('Username').fill('ann');
  await checked;
  await screen.field('Email').fill('ann@example.org');
  await screen.password().fill('four brown kettles sing');
  await people.account('ann');
  await screen.button('Create account').click();
  await expect(screen.note('username')).toContainText('taken');
  const again = await call(server.origin, 'POST', '/api/v1/auth/login', {
    username: 'ann',
    password: 'four brown kettles sing',
  });
  expect(again.status, 'the account of the first is untouched').toBe(401);
});
