// The link to a message: copied from it, it leads there from outside and inside; a foreign or unknown one leads to nothing.

import { expect, test } from '../../fixtures/test.ts';

test('a link leads to its message, also without loading the page again', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await ann.says('the one that matters');
  const message = await ann.sees('the one that matters');
  await ann.hasTick('the one that matters', 'read');
  await message.hover();
  await message.getByRole('button', { name: 'Copy link' }).click();
  await ann.seesToast('The link to the message is in the clipboard');
  const link = await ann.page.evaluate(() => navigator.clipboard.readText());
  const seq = await message.getAttribute('data-seq');
  expect(link).toBe(`${ann.origin}/r/${room.id}?at=${seq}`);
  for (const n of Array.from({ length: 60 }, (_, at) => at)) {
    await ann.api.send(room, `line ${n}`);
  }
  // From outside, by somebody who has not loaded so far back.
  await bob.goes('/browse');
  await bob.page.goto(link);
  const there = bob.screen.messageAt(Number(seq));
  await expect(there).toBeInViewport();
  await expect(there).toBeFocused();
  await bob.isOn(`/r/${room.id}`);
  // From a message, named after its room and without another page.
  await bob.screen.latest().click();
  await bob.screen.composer().fill(`see ${link}`);
  await bob.screen.composer().press('Enter');
  await bob.page.evaluate(() => Object.assign(window, { same: true }));
  const inside = bob.screen.bodies().last().getByRole('link');
  await expect(inside).toHaveText(`#kitchen › ${seq}`);
  await inside.click();
  await expect(there).toBeInViewport();
  await expect(there).toBeFocused();
  expect(await bob.page.evaluate(() => 'same' in window)).toBe(true);
});

test('a link to another room goes there; one to nothing says so', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const secret = await ann.api.createRoom('secret', '', 'private');
  const said = await ann.api.send(secret, 'not for bob');
  const cellar = await ann.api.createRoom('cellar');
  const below = await ann.api.send(cellar, 'down here');
  await ann.screen.composer().fill(`down: ${ann.origin}/r/${cellar.id}?at=${below}`);
  await ann.screen.composer().press('Enter');
  await ann.screen.bodies().last().getByRole('link').click();
  await expect(ann.screen.messageAt(below)).toBeFocused();
  await ann.isOn(`/r/${cellar.id}`);
  await bob.goes(`/r/${secret.id}?at=${said}`);
  await bob.finds('nothing');
  await bob.goes('/r/0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22?at=1');
  await bob.finds('nothing');
  await bob.goes(`/r/${room.id}?at=999999`);
  await bob.seesToast('That message is not there any more');
  for (const nonsense of ['-1', 'x', '1e9', '']) {
    await bob.goes(`/r/${room.id}?at=${nonsense}`);
    await expect(bob.screen.log()).toBeVisible();
  }
});
