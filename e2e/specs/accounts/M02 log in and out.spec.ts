// Logging in and out, as often as wanted. Logging out ends the access token at once, on the server too.

import { call } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a wrong password says so and keeps the form', async ({ people }) => {
  await people.account('ann');
  const visitor = await people.visitor();
  await visitor.goes('/login');
  await visitor.logsIn('ann', 'not the password at all');
  await expect(visitor.screen.alert()).toBeVisible();
  await expect(visitor.screen.alert()).toHaveText(/\w+/);
  await expect(visitor.screen.field('Username')).toHaveValue('ann');
  await visitor.isAskedToLogIn();
});

test('an unknown username gets the answer of a wrong password', async ({ people }) => {
  await people.account('ann');
  const visitor = await people.visitor();
  await visitor.goes('/login');
  await visitor.logsIn('ann', 'not the password at all');
  const wrong = await visitor.screen.alert().innerText();
  await visitor.goes('/login');
  await visitor.logsIn('nobody-here', 'not the password at all');
  await expect(visitor.screen.alert()).toHaveText(wrong, { useInnerText: true });
});

test('log in, log out, log in again', async ({ people }) => {
  await people.account('ann');
  const ann = await people.visitor();
  await ann.goes('/login');
  for (let time = 1; time <= 3; time += 1) {
    await ann.logsIn('ann');
    await expect(ann.screen.me()).toContainText('@ann');
    await ann.screen.button('Log out').click();
    await ann.isAskedToLogIn();
  }
});

test('logging out ends the access token and the refresh cookie at once', async ({ people, server }) => {
  const ann = await people.person('ann');
  const token = ann.page.waitForRequest((request) => request.headers()['authorization']?.startsWith('Bearer ') ?? false);
  await ann.goes('/settings');
  await ann.goes('/browse');
  await expect(ann.screen.me()).toContainText('@ann');
  const bearer = (await token).headers()['authorization']!.slice('Bearer '.length);
  const cookies = (await ann.context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  expect((await call(server.origin, 'GET', '/api/v1/me', undefined, bearer)).status).toBe(200);

  await ann.screen.button('Log out').click();
  await ann.isAskedToLogIn();
  expect((await call(server.origin, 'GET', '/api/v1/me', undefined, bearer)).status).toBe(401);
  const refresh = await fetch(`${server.origin}/api/v1/auth/refresh`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Cookie: cookies },
    body: '{}',
  });
  expect(refresh.status).toBe(401);
  expect(await ann.context.cookies()).toEqual([]);
  await ann.page.goBack();
  await ann.isAskedToLogIn();
});
