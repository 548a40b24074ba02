// Every answer, errors included, carries the headers that keep a browser from harm.

import { expect, test } from '../../fixtures/test.ts';

const EVERYWHERE: [name: string, value: RegExp][] = [
  ['content-security-policy', /default-src 'none'/],
  ['content-security-policy', /object-src 'none'/],
  ['content-security-policy', /base-uri 'none'/],
  ['content-security-policy', /form-action 'self'/],
  ['content-security-policy', /frame-ancestors 'none'/],
  ['x-content-type-options', /^nosniff$/],
  ['referrer-policy', /^no-referrer$/],
  ['cross-origin-opener-policy', /^same-origin$/],
  ['cross-origin-resource-policy', /^same-origin$/],
  ['permissions-policy', /\w/],
];

test('the page, the API and errors carry the headers', async ({ people, server }) => {
  await people.account('ann');
  for (const path of ['/', '/login', '/no/such/page', '/api/v1/me', '/api/v1/no-such-call', '/health/live']) {
    const answer = await fetch(`${server.origin}${path}`);
    for (const [name, value] of EVERYWHERE) {
      expect(answer.headers.get(name) ?? '', `${path}: ${name}`).toMatch(value);
    }
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy, path).not.toMatch(/'unsafe-inline'|'unsafe-eval'|\*/);
    expect(answer.headers.get('server') ?? '', path).not.toMatch(/\d/);
    if (path.startsWith('/api/')) {
      expect(answer.headers.get('cache-control'), path).toContain('no-store');
    }
  }
});

test('the page cannot be put into a frame of another site', async ({ people, server }) => {
  const visitor = await people.visitor();
  const refused = visitor.page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await visitor.page.setContent(`<iframe src="${server.origin}/login"></iframe>`);
  await refused;
  // The browser's own complaint about it is what was wanted here.
  people.problems.length = 0;
});

test('another site gets neither an answer nor a socket', async ({ people, server }) => {
  const ann = await people.account('ann');
  const evil = { Origin: 'https://evil.example' };
  const answer = await fetch(`${server.origin}/api/v1/me`, {
    headers: { ...evil, Authorization: `Bearer ${ann.session.access_token}` },
  });
  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  const refresh = await fetch(`${server.origin}/api/v1/auth/refresh`, {
    method: 'POST',
    headers: { ...evil, 'Content-Type': 'application/json' },
    body: '{}',
  });
  expect(refresh.status).toBe(403);
});
