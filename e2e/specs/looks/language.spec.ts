// The page in another language: as the browser asks for it, or as it was chosen, words of the server included.

import { expect, test } from '../../fixtures/test.ts';

test('a browser that speaks German gets the page in German', async ({ people }) => {
  await people.account('ann');
  const visitor = await people.visitor({ locale: 'de-AT' });
  await visitor.goes('/login');
  await expect(visitor.screen.title()).toHaveText('Anmelden');
  await expect(visitor.page.locator('html')).toHaveAttribute('lang', 'de');
  await visitor.page.getByRole('textbox', { name: 'Benutzername' }).fill('ann');
  await visitor.page.getByLabel('Passwort', { exact: true }).fill('not the password at all');
  await visitor.screen.button('Anmelden').click();
  await expect(visitor.screen.alert()).toContainText('Benutzername oder Passwort ist falsch');
});

test('a language that was chosen is kept over a reload', async ({ people }) => {
  const ann = await people.person('ann');
  await ann.goes('/settings');
  await ann.page.getByRole('radio', { name: 'Deutsch' }).check();
  await expect(ann.screen.title()).toHaveText('Einstellungen');
  await ann.page.getByRole('textbox', { name: 'Anzeigename' }).fill('x'.repeat(80));
  await ann.screen.button('Profil speichern').click();
  await expect(ann.screen.note('display_name')).toContainText('Höchstens 64 Zeichen');
  await ann.page.reload();
  await expect(ann.screen.title()).toHaveText('Einstellungen');
  await ann.page.getByRole('radio', { name: 'English' }).check();
  await expect(ann.screen.title()).toHaveText('Settings');
});
