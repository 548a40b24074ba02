// Light, dark, or what the system says; chosen once and kept.

import type { Page } from '@playwright/test';

import { expect, test } from '../../fixtures/test.ts';

/** Whether the page's background is dark. */
async function isDark(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    // Painted, since a colour may be written in many ways.
    const paper = new OffscreenCanvas(1, 1).getContext('2d')!;
    paper.fillStyle = getComputedStyle(document.body).backgroundColor;
    paper.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = paper.getImageData(0, 0, 1, 1).data;
    return red + green + blue < 384;
  });
}

test('the page follows the system until somebody chooses, and keeps the choice', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.page.emulateMedia({ colorScheme: 'dark' });
  await ann.goes('/settings');
  await expect(ann.page.getByRole('radio', { name: 'System' })).toBeChecked();
  await expect.poll(() => isDark(ann.page)).toBe(true);
  await ann.page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(() => isDark(ann.page)).toBe(false);

  await ann.page.getByRole('radio', { name: 'Dark' }).check();
  await expect(ann.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect.poll(() => isDark(ann.page)).toBe(true);
  await ann.page.reload();
  await expect(ann.screen.title()).toHaveText('Settings');
  await expect(ann.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(ann.page.getByRole('radio', { name: 'Dark' })).toBeChecked();
  await expect.poll(() => isDark(ann.page)).toBe(true);
});
