// How a message reads: bold, italic, struck out, quotes and lists, drawn as elements and never as HTML; and the keys for it.

import { expect, test } from '../../fixtures/test.ts';

test('emphasis, quotes, lists and code are drawn, and the signs are gone', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  const text = [
    '**bold** and *slanted* and _leaning_ and ~~gone~~',
    '> a quote',
    '> of **two** lines',
    '- eggs',
    '- milk',
    '7. seven',
    '`let x = **1**;`',
    'snake_case_name and 2*3*4 stay <b>as they are</b>',
  ].join('\n');
  await ann.screen.composer().fill(text);
  await ann.screen.composer().press('Enter');
  const body = bob.screen.bodies().first();
  await expect(body.locator('strong')).toHaveText(['bold', 'two']);
  await expect(body.locator('em')).toHaveText(['slanted', 'leaning']);
  await expect(body.locator('del')).toHaveText('gone');
  await expect(body.locator('blockquote')).toHaveText('a quote\nof two lines');
  await expect(body.locator('ul > li')).toHaveText(['eggs', 'milk']);
  await expect(body.locator('ol > li')).toHaveText('seven');
  await expect(body.locator('ol > li')).toHaveAttribute('value', '7');
  await expect(body.locator('code')).toHaveText('let x = **1**;');
  await expect(body.locator('b')).toHaveCount(0);
  await expect(body).toContainText('snake_case_name and 2*3*4 stay <b>as they are</b>');
  expect(await bob.api.bodies(room), 'stored as it was written').toEqual([text]);
  // What is selected and copied reads well, too.
  const copied = await body.evaluate((element) => {
    getSelection()?.selectAllChildren(element);
    return getSelection()?.toString() ?? '';
  });
  expect(copied.split('\n')[0]).toBe('bold and slanted and leaning and gone');
  // A quote of it is one plain line.
  await bob.screen.messages().first().hover();
  await bob.screen.action(bob.screen.messages().first(), 'Reply').click();
  await expect(bob.screen.composerMode()).toContainText('bold and slanted and leaning and gone a quote of two lines');
});

test('keys put signs around what is selected, and undo takes them away', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  const field = ann.screen.composer();
  await field.pressSequentially('one two');
  await field.press('Control+Shift+ArrowLeft');
  await field.press('Control+b');
  await expect(field).toHaveValue('one **two**');
  await field.press('Control+i');
  await expect(field).toHaveValue('one **_two_**');
  await field.press('Control+z');
  await expect(field).toHaveValue('one **two**');
  await field.press('Control+z');
  await expect(field).toHaveValue('one two');
  await field.press('Control+a');
  await field.press('Control+Shift+x');
  await expect(field).toHaveValue('~~one two~~');
  await field.press('Control+Shift+x');
  await expect(field).toHaveValue('one two');
  await field.press('Control+e');
  await field.press('Enter');
  await expect(ann.screen.bodies().locator('code')).toHaveText('one two');
});
