// Images in a conversation: by the button, out of the clipboard, dropped; seen by the others, large on a click; refused in words.

import { Buffer } from 'node:buffer';
import { type Person } from '../../fixtures/person.ts';
import { plain } from '../../fixtures/png.ts';
import { expect, test } from '../../fixtures/test.ts';

const RED = plain(640, 400, [190, 60, 50]);
const BLUE = plain(300, 300, [50, 80, 190]);

async function choose(person: Person, ...files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> {
  await person.page.getByTestId('image-chooser').setInputFiles(files);
}

const chosen = (person: Person) => person.page.getByTestId('chosen');
const pictures = (person: Person) => person.screen.log().getByTestId('picture').locator('img');

test('an image is chosen, shown before it is sent, and seen by the others', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await choose(ann, { name: 'red.png', mimeType: 'image/png', buffer: RED });
  await expect(chosen(ann)).toHaveAttribute('data-stage', 'ready');
  await ann.screen.composer().fill('look at this');
  await ann.screen.send().click();
  await expect(chosen(ann)).toHaveCount(0);
  for (const person of [ann, bob]) {
    await person.sees('look at this');
    await expect(pictures(person)).toHaveCount(1);
    await expect(pictures(person)).toHaveJSProperty('complete', true);
    const box = (await pictures(person).boundingBox())!;
    expect(box.width / box.height).toBeCloseTo(640 / 400, 1);
  }
  await bob.screen.log().getByTestId('picture').click();
  const large = bob.page.getByTestId('large-picture');
  await expect(large).toHaveJSProperty('naturalWidth', 640);
  await bob.page.keyboard.press('Escape');
  await expect(large).toHaveCount(0);
  await expect(bob.screen.log().getByTestId('picture')).toBeFocused();
  await bob.screen.log().getByTestId('picture').click();
  await large.click();
  await expect(large, 'a click on the image does not close it').toBeVisible();
  await bob.page.mouse.click(20, 300);
  await expect(large, 'one beside it does').toHaveCount(0);

  await bob.page.reload();
  await expect(pictures(bob)).toHaveCount(1);
});

test('several images without a word make one message, and one can be taken out before', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await choose(
    ann,
    { name: 'red.png', mimeType: 'image/png', buffer: RED },
    { name: 'blue.png', mimeType: 'image/png', buffer: BLUE },
    { name: 'wrong.png', mimeType: 'image/png', buffer: BLUE },
  );
  await expect(chosen(ann)).toHaveCount(3);
  await ann.screen.button('Remove wrong.png').click();
  await expect(chosen(ann)).toHaveCount(2);
  await expect(ann.page.locator('[data-testid="chosen"][data-stage="ready"]')).toHaveCount(2);
  await ann.screen.composer().press('Enter');
  await expect(pictures(bob)).toHaveCount(2);
  await expect(bob.screen.messages()).toHaveCount(1);

  await bob.screen.log().getByTestId('picture').first().click();
  await expect(bob.page.getByText('1 of 2')).toBeVisible();
  await bob.page.keyboard.press('ArrowRight');
  await expect(bob.page.getByText('2 of 2')).toBeVisible();
  await bob.page.keyboard.press('Escape');

  const message = ann.screen.messages().first();
  await message.hover();
  await ann.screen.action(message, 'Delete').click();
  await ann.screen.dialog('Delete this message?').getByRole('button', { name: 'Delete' }).click();
  await expect(pictures(bob)).toHaveCount(0);
});

test('an image out of the clipboard and one that is dropped are taken as well', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  const give = (kind: 'paste' | 'drop') =>
    ann.page.evaluate(
      ([kind, base64]) => {
        const bytes = Uint8Array.from(atob(base64!), (c) => c.charCodeAt(0));
        const data = new DataTransfer();
        data.items.add(new File([bytes], `${kind}.png`, { type: 'image/png' }));
        const field = document.querySelector('#composer')!;
        const event =
          kind === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
            : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
        field.dispatchEvent(event);
      },
      [kind, RED.toString('base64')],
    );
  await give('paste');
  await expect(chosen(ann)).toHaveCount(1);
  await give('drop');
  await expect(chosen(ann)).toHaveCount(2);
  await expect(ann.page.locator('[data-testid="chosen"][data-stage="ready"]')).toHaveCount(2);
});

test('what is no image is refused in words, and nothing that was typed is lost', async ({ people }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  await ann.screen.composer().fill('a text that stays');
  await choose(ann, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no image') });
  await expect(ann.screen.toasts().filter({ hasText: 'Only images can be sent here.' })).toHaveCount(1);
  await expect(chosen(ann)).toHaveCount(0);

  await choose(ann, { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('<svg onload=alert(1)>') });
  await expect(chosen(ann)).toHaveAttribute('data-stage', 'failed');
  await expect(chosen(ann)).toContainText('This is no image that can be shown here');
  await ann.screen.send().click();
  await expect(ann.page.locator('#composer-note')).toContainText('One image was not taken');
  await expect(ann.screen.composer()).toHaveValue('a text that stays');
  await ann.screen.button('Remove broken.png').click();
  await ann.screen.send().click();
  await ann.sees('a text that stays');
});

test('a picture of one\'s own is cut out, seen by others, and given up again', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.goes('/settings');
  await ann.page.getByTestId('picture-chooser').setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: RED });
  const cutter = ann.screen.dialog('Your picture');
  await cutter.getByRole('slider').fill('2');
  await cutter.getByRole('application').focus();
  await ann.page.keyboard.press('ArrowLeft');
  await cutter.getByRole('button', { name: 'Use this picture' }).click();
  await expect(cutter).toHaveCount(0);
  await expect(ann.page.getByTestId('own-picture').locator('img')).toBeVisible();

  await ann.opens(room);
  await ann.says('with a face');
  const message = bob.screen.message('with a face');
  await expect(message.locator('.ava img')).toHaveJSProperty('naturalWidth', 256);

  await ann.goes('/settings');
  await ann.screen.button('Use the drawn one').click();
  await expect(ann.page.getByTestId('own-picture').locator('svg')).toBeVisible();
  await expect(ann.screen.button('Use the drawn one')).toHaveCount(0);
});
