// At 200 % zoom a window is half as wide and half as high: nothing is cut off, nothing scrolls sideways, and one can write.

import { scene } from '../../fixtures/scene.ts';
import { expect, test } from '../../fixtures/test.ts';
import type { Visitor } from '../../fixtures/person.ts';

const HALF = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 };

async function scrollsOnlyDown({ page }: Visitor, what: string): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wide, `${what} is wider than the window`).toBeLessThanOrEqual(0);
}

test('the way in and the pages hold at 200 % zoom', async ({ people }) => {
  test.slow();
  const visitor = await people.visitor(HALF);
  for (const path of ['/login', '/register', '/guest']) {
    await visitor.goes(path);
    await expect(visitor.screen.title()).toBeVisible();
    await scrollsOnlyDown(visitor, path);
    const last = visitor.page.locator('button[type="submit"]').last();
    await last.scrollIntoViewIfNeeded();
    await expect(last, path).toBeInViewport();
  }
  const { ann, garden } = await scene(people, HALF);
  for (const path of ['/', '/browse', '/settings', '/u/bob']) {
    await ann.goes(path);
    await expect(ann.screen.title()).toBeVisible();
    await scrollsOnlyDown(ann, path);
  }
  await ann.opens(garden);
  await expect(ann.screen.bodies()).toHaveCount(9);
  await scrollsOnlyDown(ann, 'a room');
  await ann.says('written at 200 %');
  await expect(ann.screen.message('written at 200 %')).toBeInViewport();
  await expect(ann.screen.send()).toBeInViewport();
  await ann.screen.button('Room settings').click();
  const close = ann.screen.dialog('Room settings').getByRole('button', { name: /^(Close|Cancel|Done)$/ }).last();
  await close.scrollIntoViewIfNeeded();
  await expect(close).toBeInViewport();
});

test('with reduced motion nothing moves by itself', async ({ people }) => {
  const { ann, bob } = await people.together('kitchen', 'ann', 'bob');
  await ann.page.emulateMedia({ reducedMotion: 'reduce' });
  await bob.screen.composer().pressSequentially('something long');
  await expect(ann.screen.typing()).toBeVisible();
  const moving = await ann.page.evaluate(() =>
    document
      .getAnimations()
      .filter((it) => it.playState === 'running' && Number(it.effect?.getComputedTiming().duration ?? 0) > 100)
      .map((it) => (it as CSSAnimation).animationName),
  );
  expect(moving).toEqual([]);
});
