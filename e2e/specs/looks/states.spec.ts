// Pictures of what a page can be like besides usual: empty, loading, failed, full, in German, with long names and texts that run
// from right to left; wide in light and on a phone in the dark.

import { SIZES, picture } from '../../fixtures/picture.ts';
import { hills } from '../../fixtures/png.ts';
import { opensTheGarden, scene } from '../../fixtures/scene.ts';
import { expect, test } from '../../fixtures/test.ts';

const LONG = 'Wolfeschlegelsteinhausenbergerdorff the Younger of the Long Garden Path';
const SENDING = { name: 'hills.png', mimeType: 'image/png' };

for (const [size, colorScheme] of [['wide', 'light'], ['phone', 'dark']] as const) {
  const options = { viewport: SIZES[size], colorScheme };
  const named = (name: string): string => `state-${name}-${size}-${colorScheme}`;

  test(`pictures of a room that is empty, loading, and not to be had, ${size}`, async ({ people }) => {
    const ann = await people.person('ann', { browser: { reducedMotion: 'reduce', ...options } });
    const room = await ann.api.createRoom('brand-new', '');
    await ann.opens(room);
    await expect(ann.screen.logStart()).toBeVisible();
    await picture(ann, named('empty'));

    let answer = (): void => undefined;
    const waits = new Promise<void>((resolve) => (answer = resolve));
    await ann.page.route('**/messages?*', async (route) => {
      await waits;
      await route.abort();
    });
    const other = await ann.api.createRoom('far-away', '');
    await ann.goes(`/r/${other.id}`);
    await expect(ann.page.getByTestId('log-skeleton')).toBeVisible();
    await picture(ann, named('loading'));
    answer();
    await expect(ann.screen.alert()).toBeVisible();
    await picture(ann, named('failed'));
  });

  test(`pictures of a room in German and of its choices, ${size}`, async ({ people }) => {
    test.slow();
    const all = await scene(people, { ...options, locale: 'de-DE' });
    const { ann, garden } = all;
    await ann.goes(`/r/${garden.id}`);
    await expect(ann.page.getByTestId('body')).toHaveCount(9);
    await picture(ann, named('german'));
    await ann.goes('/settings');
    await expect(ann.page.getByTestId('session').first()).toBeVisible();
    await picture(ann, named('german-settings'));
  });

  test(`pictures of long names, many scripts and much emphasis, ${size}`, async ({ people }) => {
    test.slow();
    const ann = await people.person('ann', { browser: { reducedMotion: 'reduce', ...options } });
    const long = await people.account('wolfeschlegelsteinhausenberger', { gender: 'male' });
    await long.ask('PATCH', '/me', { display_name: LONG.slice(0, 64) });
    const noor = await people.account('noor', { gender: 'female' });
    await noor.ask('PATCH', '/me', { display_name: '\u0646\u0648\u0631 \u0627\u0644\u062d\u0633\u064a\u0646' });
    const room = await ann.api.createRoom(
      'the-room-with-the-longest-name-that-anybody-could-think-of-today',
      'A topic that goes on and on, because somebody had a lot to say about what this room is for and what it is not for',
    );
    await long.join(room);
    await noor.join(room);
    await long.send(room, 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungsurkundenmappe'.repeat(3));
    await noor.send(room, '\u0635\u0628\u0627\u062d \u0627\u0644\u062e\u064a\u0631\u060c \u0645\u062a\u0649 \u0646\u0628\u062f\u0623 \u063a\u062f\u0627\u061f 10:30 \u2013 \u0645\u0648\u0627\u0641\u0642\u0629.');
    await ann.api.send(room, '\u05e9\u05dc\u05d5\u05dd! \u4f60\u597d\uff0c\u660e\u5929\u89c1\u3002 \ud83d\udc4b\ud83c\udffd\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66\ud83c\uddeb\ud83c\uddf4');
    await noor.send(room, '\ud83c\udf89\ud83c\udf89\ud83c\udf89');
    await long.send(
      room,
      '**What to bring**\n- a spade, *not* the small one\n- `seeds.csv`, see https://example.org/a/very/long/path/that/goes/on?with=a&query=string\n1. dig\n2. ~~rest~~ dig\n> Nine is early\n```\nfn main() {\n    println!("hello");\n}\n```',
    );
    const asked = await ann.api.send(room, '@noor can you bring the **plan**? And @all: Saturday, nine.');
    await noor.send(room, 'Of course.', asked);
    await ann.opens(room);
    await ann.sees('Of course.');
    await picture(ann, named('texts'));
  });

  test(`pictures of images in a conversation, ${size}`, async ({ people }) => {
    test.slow();
    const all = await scene(people, options);
    const { ann, bob, garden } = all;
    await bob.opens(garden);
    await bob.page.getByTestId('image-chooser').setInputFiles({ ...SENDING, buffer: hills(900, 560) });
    await expect(bob.page.locator('[data-testid="chosen"][data-stage="ready"]')).toHaveCount(1);
    await bob.says('From the top, yesterday at eight');
    await bob.page.getByTestId('image-chooser').setInputFiles(
      [1, 2, 3].map((turn) => ({ ...SENDING, name: `${turn}.png`, buffer: hills(420, 420, turn / 2) })),
    );
    await expect(bob.page.locator('[data-testid="chosen"][data-stage="ready"]')).toHaveCount(3);
    await bob.screen.send().click();
    await ann.opens(garden);
    const shown = ann.screen.log().getByTestId('picture').locator('img');
    await expect(shown).toHaveCount(4);
    for (const image of await shown.all()) await expect(image).toHaveJSProperty('complete', true);
    await ann.page.getByTestId('image-chooser').setInputFiles([
      { ...SENDING, buffer: hills(300, 300, 0.3) },
      { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no image at all') },
    ]);
    await expect(ann.page.locator('[data-testid="chosen"][data-stage="failed"]')).toHaveCount(1);
    await ann.screen.composer().fill('And mine');
    await picture(ann, named('images'));
    await ann.screen.log().getByTestId('picture').first().click();
    await expect(ann.page.getByTestId('large-picture')).toBeVisible();
    await picture(ann, named('image-large'));
    await ann.page.keyboard.press('Escape');
    await ann.goes('/settings');
    await ann.page.getByTestId('picture-chooser').setInputFiles({ ...SENDING, buffer: hills(600, 400) });
    await expect(ann.screen.dialog('Your picture').getByRole('button', { name: 'Use this picture' })).toBeEnabled();
    await picture(ann, named('picture-cut'));
  });

  test(`pictures of what opens above a room, ${size}`, async ({ people }) => {
    test.slow();
    const all = await scene(people, options);
    const { ann, garden } = all;
    const { screen } = ann;
    await ann.api.ask('PUT', `/rooms/${garden.id}/messages/${(await ann.api.messages(garden))[0]!.seq}/pin`, {});
    if (size === 'wide') await opensTheGarden(all);
    else await ann.opens(garden);
    await screen.button('Emoji').click();
    await expect(ann.page.getByRole('dialog')).toBeVisible();
    await picture(ann, named('emoji'));
    await ann.page.keyboard.press('Escape');
    await screen.composer().fill('Hello @');
    await expect(screen.names().first()).toBeVisible();
    await picture(ann, named('names'));
    await screen.composer().fill('');
    await ann.page.getByTestId('pins').click();
    await expect(screen.dialog('Pinned messages')).toBeVisible();
    await picture(ann, named('pins'));
    await ann.page.keyboard.press('Escape');
    await screen.button('Room settings').click();
    await screen.dialog('Room settings').getByRole('button', { name: 'Integrations\u2026' }).click();
    await expect(screen.dialog('Integrations')).toBeVisible();
    await picture(ann, named('integrations'));
    await ann.page.keyboard.press('Escape');
    await ann.page.keyboard.press('Control+/');
    await expect(ann.page.getByRole('dialog')).toBeVisible();
    await picture(ann, named('keys'));
  });
}
