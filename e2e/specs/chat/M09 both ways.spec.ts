// Two people, two browsers, one room.

import { expect, test } from '../../fixtures/test.ts';

test('two people chat, each on their own side', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('hello Bob');
  await bob.sees('hello Bob');
  await bob.says('hello Ann');
  await ann.sees('hello Ann');
  const conversation = ['hello Bob', 'hello Ann'];
  await ann.seesExactly(conversation);
  await bob.seesExactly(conversation);

  const left = await bob.sees('hello Bob');
  await expect(left).toHaveAttribute('data-own', 'false');
  await expect(left).toHaveAttribute('data-author', 'ann');
  const right = await bob.sees('hello Ann');
  await expect(right).toHaveAttribute('data-own', 'true');
  const [leftBox, rightBox] = [await bob.screen.body(left).boundingBox(), await bob.screen.body(right).boundingBox()];
  expect(rightBox!.x, 'the own message stands further right').toBeGreaterThan(leftBox!.x);
  await expect(bob.screen.log()).toContainText('Ann');
  await expect(right.locator('time').first()).toBeVisible();
});

test('a message is there live for all, its author included, without a reload', async ({ people }) => {
  const { ann, bob, cleo } = await people.together('kitchen', 'ann', 'bob', 'cleo');
  const second = await ann.opensATab();
  await second.page.goto(ann.page.url());
  for (const text of ['one', 'two', 'three']) {
    await ann.says(text);
  }
  for (const reader of [ann, second, bob, cleo]) {
    await reader.seesExactly(['one', 'two', 'three']);
  }
});

test('Enter sends, Shift and Enter break the line', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.composer().pressSequentially('first line');
  await ann.screen.composer().press('Shift+Enter');
  await ann.screen.composer().pressSequentially('second line');
  await ann.screen.composer().press('Enter');
  await expect(bob.screen.bodies()).toHaveCount(1);
  await expect.poll(() => bob.reads()).toEqual(['first line\nsecond line']);
});

test('a message of blanks or of nothing that can be seen is not sent', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  for (const nothing of ['   ', '\n\n', '\u200B\u2060\uFEFF']) {
    await ann.screen.composer().fill(nothing);
    await ann.screen.composer().press('Enter');
  }
  await ann.says('the only one');
  await bob.seesExactly(['the only one']);
  expect(await ann.api.bodies(room)).toEqual(['the only one']);
});
