// Text that attacks the page, in every place where people can put text: it is shown as text and does nothing.

import { expect, test } from '../../fixtures/test.ts';

const CORPUS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '</title><script>alert(1)</script>',
  '"><iframe src=javascript:alert(1)></iframe>',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  '//evil.example/x',
  '[x](javascript:alert(1))',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  'http://user@evil.example/path',
  'https://xn--pple-43d.example/',
  '<a href="javascript:alert(1)">click</a>',
  '<style>*{display:none}</style>',
  '{{constructor.constructor("alert(1)")()}}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\u{202E}gpj.exe txt.lmth',
  '👨‍👩‍👧‍👦'.repeat(300),
  `Z${'\u0335\u0321\u0362'.repeat(160)}algo`,
];

/** What a message's text may be made of. */
const ALLOWED = ['A', 'B', 'BDI', 'BLOCKQUOTE', 'BR', 'CODE', 'DEL', 'EM', 'I', 'LI', 'OL', 'P', 'PRE', 'SPAN', 'STRONG', 'UL'];

test('hostile messages are shown as text', async ({ people }) => {
  test.slow();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  for (const text of CORPUS) {
    await ann.screen.composer().fill(text);
    await ann.screen.composer().press('Enter');
  }
  await expect(bob.screen.bodies()).toHaveCount(CORPUS.length, { timeout: 20_000 });
  expect(await ann.api.bodies(room), 'stored as sent').toEqual(CORPUS);
  for (const reader of [ann, bob]) {
    await expect(reader.screen.log().locator('[data-pending="true"]')).toHaveCount(0);
    const drawn = await reader.screen.bodies().evaluateAll((bodies) =>
      bodies.map((body) => ({
        text: body.textContent,
        elements: [...body.querySelectorAll('*')].map((element) => element.tagName),
        attributes: [...body.querySelectorAll('*')].flatMap((element) => element.getAttributeNames()),
        links: [...body.querySelectorAll('a')].map((link) => ({
          protocol: link.protocol,
          host: link.host,
          text: link.textContent ?? '',
          rel: link.rel.split(' ').sort().join(' '),
        })),
      })),
    );
    expect(drawn.map(({ text }) => text)).toEqual(CORPUS);
    for (const { text, elements, attributes, links } of drawn) {
      expect(elements.filter((name) => !ALLOWED.includes(name)), text ?? '').toEqual([]);
      expect(attributes.filter((name) => /^on|^style$|^src/.test(name)), text ?? '').toEqual([]);
      for (const link of links) {
        expect(link.protocol, text ?? '').toMatch(/^(https?|mailto):$/);
        expect(link.rel, text ?? '').toBe('nofollow noopener noreferrer');
      }
    }
    await expect(reader.page.locator('script:not([src]):not([type="module"])')).toHaveCount(0);
    await expect(reader.page.locator('iframe, object, embed, body style')).toHaveCount(0);
  }
});

test('hostile names of people, rooms and topics are shown as text', async ({ people }) => {
  const hostile = '<img src=x onerror=alert(1)>';
  const eve = await people.person('eve', { displayName: hostile });
  const bob = await people.person('bob');
  const room = await eve.api.createRoom(`<svg/onload=alert(2)>`, '</p><script>alert(3)</script>');
  await bob.api.join(room);
  await bob.opens(room);
  await eve.opens(room);
  await eve.screen.composer().pressSequentially('hello');
  await expect(bob.screen.typing()).toContainText(hostile);
  await eve.screen.composer().press('Enter');
  await bob.sees('hello');
  await expect(bob.screen.title()).toHaveText('<svg/onload=alert(2)>');
  await expect(bob.screen.topic()).toHaveText('</p><script>alert(3)</script>');
  await expect(bob.screen.person('eve')).toContainText(hostile);
  await bob.uses('Reply', 'hello');
  await bob.says('a reply');
  await bob.goes('/browse');
  await expect(bob.screen.roomLink(room.id)).toContainText('<svg/onload=alert(2)>');
  await bob.goes('/u/eve');
  await expect(bob.screen.title()).toHaveText(hostile);
  await expect(bob.page.locator('img[src="x"], svg[onload]')).toHaveCount(0);
});
