// A new room, its code and its link.

import { expect, test } from '../../fixtures/test.ts';

test('a new room has a code and a link to copy with one click', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ann.origin });
  const clipboard = (): Promise<string> => ann.page.evaluate(() => navigator.clipboard.readText());
  await ann.goes('/');
  await ann.screen.button('New room').click();
  const dialog = ann.screen.newRoom();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('garden project');
  await dialog.getByRole('textbox', { name: 'Topic' }).fill('Beds, seeds and the shed');
  await dialog.getByRole('radio', { name: 'Private' }).check();
  await dialog.getByRole('button', { name: 'Create room' }).click();

  await expect(ann.screen.newCode()).toContainText(/[2-9A-Z]{4}-[2-9A-Z]{4}/);
  await dialog.getByRole('button', { name: 'Copy code' }).click();
  await expect.poll(clipboard).toMatch(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/);
  const code = await clipboard();
  await expect(ann.screen.newCode()).toContainText(code);
  await dialog.getByRole('button', { name: 'Copy link' }).click();
  await expect.poll(clipboard).toBe(`${ann.origin}/join/${code}`);

  await dialog.getByRole('button', { name: 'Open the room' }).click();
  await expect(ann.screen.title()).toHaveText('garden project');
  await expect(ann.screen.topic()).toHaveText('Beds, seeds and the shed');
  await expect(ann.screen.joinCode()).toContainText(code);
  await ann.screen.joinCode().click();
  await expect.poll(clipboard).toBe(code);
  await ann.screen.button('Copy the invite link').click();
  await expect.poll(clipboard).toBe(`${ann.origin}/join/${code}`);
});

test('a room name that is taken says so in the dialog, and what was typed stays', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.api.createRoom('Kitchen');
  await ann.goes('/');
  await ann.screen.button('New room').click();
  const dialog = ann.screen.newRoom();
  const name = dialog.getByRole('textbox', { name: 'Name' });
  await name.fill('kitchen');
  await dialog.getByRole('button', { name: 'Create room' }).click();
  await expect(dialog).toContainText('Another room has this name');
  await expect(name).toHaveValue('kitchen');
  await name.fill('kitchen two');
  await dialog.getByRole('button', { name: 'Create room' }).click();
  await expect(ann.screen.newCode()).toBeVisible();
});
