// Finding a message again.

import { expect, test } from '../../fixtures/test.ts';

test('a message of this room is found by its words, and a click leads to it', async ({ people }) => {
  const ann = await people.person('ann');
  const kitchen = await ann.api.createRoom('kitchen');
  const garden = await ann.api.createRoom('garden');
  await ann.api.send(kitchen, 'the rhubarb crumble is in the oven');
  for (let n = 1; n <= 60; n += 1) {
    await ann.api.send(kitchen, `line ${n}`);
  }
  await ann.api.send(garden, 'rhubarb needs shade');
  await ann.opens(kitchen);
  await expect(ann.screen.message('line 60')).toBeInViewport();
  await ann.screen.button('Search this room').click();
  await ann.page.getByRole('searchbox', { name: 'Search messages' }).fill('rhubarb');
  const results = ann.page.getByTestId('search-result');
  await expect(results).toHaveCount(1);
  await expect(results).toContainText('crumble');
  await results.click();
  await expect(ann.screen.message('the rhubarb crumble is in the oven')).toBeInViewport();
});
