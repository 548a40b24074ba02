// What is half written stays where it was written, and is there after a reload.

import { expect, test } from '../../fixtures/test.ts';

test('each room keeps its draft, over a reload too', async ({ people }) => {
  const ann = await people.person('ann');
  const kitchen = await ann.api.createRoom('kitchen');
  const garden = await ann.api.createRoom('garden');
  await ann.opens(kitchen);
  await ann.screen.composer().fill('half a thought about soup');
  await ann.screen.roomLink(garden.id).click();
  await ann.isIn(garden);
  await expect(ann.screen.composer()).toHaveValue('');
  await ann.screen.composer().fill('half a thought about beans');
  await ann.screen.roomLink(kitchen.id).click();
  await ann.isIn(kitchen);
  await expect(ann.screen.composer()).toHaveValue('half a thought about soup');
  await ann.page.reload();
  await ann.isIn(kitchen);
  await expect(ann.screen.composer()).toHaveValue('half a thought about soup');
  await ann.screen.roomLink(garden.id).click();
  await expect(ann.screen.composer()).toHaveValue('half a thought about beans');
  expect(await ann.api.bodies(garden), 'nothing was sent').toEqual([]);
});
