// What can be done with a message after it was sent; the others see each of it live, and after a reload.

import { expect, test } from '../../fixtures/test.ts';

test('an edited message changes for everybody and says so', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('the soup is cold');
  await ann.hasTick('the soup is cold', 'read');
  await ann.uses('Edit', 'the soup is cold');
  await expect(ann.screen.composerMode()).toBeVisible();
  await expect(ann.screen.composer()).toHaveValue('the soup is cold');
  await ann.screen.composer().fill('the soup is warm');
  await ann.screen.composer().press('Enter');
  for (const reader of [ann, bob]) {
    await expect(await reader.sees('the soup is warm')).toHaveAttribute('data-edited', 'true');
    await reader.doesNotSee('the soup is cold');
  }
  await bob.page.reload();
  await bob.isIn(room);
  await bob.seesExactly(['the soup is warm']);
});

test('the arrow up in an empty box edits the last own message, Escape gives up', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('first');
  await ann.hasTick('first', 'read');
  await ann.screen.composer().press('ArrowUp');
  await expect(ann.screen.composer()).toHaveValue('first');
  await ann.screen.composer().fill('changed my mind');
  await ann.screen.composer().press('Escape');
  await expect(ann.screen.composerMode()).toBeHidden();
  await expect(ann.screen.composer()).toHaveValue('');
  await bob.seesExactly(['first']);
});

test('a deleted message is gone for everybody', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('said too much');
  await bob.sees('said too much');
  await ann.hasTick('said too much', 'read');
  await ann.uses('Delete', 'said too much');
  await ann.screen.dialog('Delete this message?').getByRole('button', { name: 'Delete', exact: true }).click();
  for (const reader of [ann, bob]) {
    await reader.doesNotSee('said too much');
    await expect(reader.page.getByText('said too much')).toHaveCount(0);
    await expect(reader.screen.messages()).toHaveAttribute('data-deleted', 'true');
  }
  await bob.page.reload();
  await bob.isIn(room);
  await expect(bob.screen.messages()).toHaveAttribute('data-deleted', 'true');
  await expect(bob.page.getByText('said too much')).toHaveCount(0);
});

test("others' messages offer neither edit nor delete", async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('mine alone');
  const message = await bob.sees('mine alone');
  await message.hover();
  await expect(bob.screen.action(message, 'Reply')).toBeVisible();
  await expect(bob.screen.action(message, 'Edit')).toHaveCount(0);
  await expect(bob.screen.action(message, 'Delete')).toHaveCount(0);
});

test('a reply quotes what it answers', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('who brings bread');
  await bob.uses('Reply', 'who brings bread');
  await expect(bob.screen.composerMode()).toContainText('Ann');
  await bob.says('I do');
  for (const reader of [ann, bob]) {
    await expect(reader.screen.quote(await reader.sees('I do'))).toContainText('who brings bread');
  }
  await ann.page.reload();
  await ann.isIn(room);
  await expect(ann.screen.quote(await ann.sees('I do'))).toContainText('who brings bread');
});

test('reactions are counted, shared, and taken back', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('pie is ready');
  await bob.uses('React', 'pie is ready');
  await bob.screen.dialog('React').getByRole('button', { name: '🎉' }).first().click();
  const annsChip = ann.screen.reaction(await ann.sees('pie is ready'), '🎉');
  const bobsChip = bob.screen.reaction(await bob.sees('pie is ready'), '🎉');
  await expect(annsChip).toHaveText(/🎉\s*1/);
  await expect(annsChip).toHaveAttribute('aria-pressed', 'false');
  await expect(bobsChip).toHaveAttribute('aria-pressed', 'true');
  await annsChip.click();
  await expect(bobsChip).toHaveText(/🎉\s*2/);
  await bobsChip.click();
  await expect(annsChip).toHaveText(/🎉\s*1/);
  await annsChip.click();
  await expect(annsChip).toHaveCount(0);
  await expect(bobsChip).toHaveCount(0);
});
