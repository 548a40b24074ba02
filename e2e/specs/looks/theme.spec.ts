// Light, dark, or what the system says; chosen once and kept.

import { expect, test } from '../../fixtures/test.ts';

async function darkness(page: import('@playwright/test').Page): Promise<boolean> {
  return page.evaluate(() => {
    const [r = 0, g = 0, b = 0] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    return r + g + b < 384;
  });
}

test('the page follows the system until somebody chooses, and keeps the choice', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.page.emulateMedia({ colorScheme: 'dark' });
  await ann.goes('/settings');
  await expect(ann.page.getByRole('radio', { name: 'System' })).toBeChecked();
  await expect.poll(() => darkness(ann.page)).toBe(true);
  await ann.page.emulateMedia({ colorScheme: 'light' });
  await expect.poll(() => darkness(ann.page)).toBe(false);

  await ann.page.getByRole('radio', { name: 'Dark' }).check();
  await expect(ann.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect.poll(() => darkness(ann.page)).toBe(true);
  await ann.page.reload();
  await expect(ann.screen.title()).toHaveText('Settings');
  await expect(ann.page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(ann.page.getByRole('radio', { name: 'Dark' })).toBeChecked();
  await expect.poll(() => darkness(ann.page)).toBe(true);
});
