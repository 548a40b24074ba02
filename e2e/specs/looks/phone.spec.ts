// On a phone one column is shown at a time, and everything can still be reached.

import { expect, test } from '../../fixtures/test.ts';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true };

test('a whole conversation on a phone', async ({ people }) => {
  const ann = await people.person('ann', { browser: PHONE });
  const bob = await people.person('bob');
  const room = await ann.api.createRoom('kitchen');
  await bob.api.join(room);
  await bob.opens(room);
  await ann.opens(room);
  await expect(ann.screen.roomLink(room.id)).not.toBeInViewport();
  await ann.says('from my phone');
  await bob.sees('from my phone');
  await ann.screen.button('People').click();
  await expect(ann.screen.person('bob')).toBeInViewport();
  await ann.page.keyboard.press('Escape');
  await expect(ann.screen.person('bob')).not.toBeInViewport();
  await ann.screen.button('Rooms').click();
  await expect(ann.screen.roomLink(room.id)).toBeInViewport();
  await ann.screen.link('Browse rooms').click();
  await expect(ann.screen.title()).toHaveText('Browse rooms');
  const overflow = await ann.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow, 'nothing sticks out at the side').toBeLessThanOrEqual(0);
});
