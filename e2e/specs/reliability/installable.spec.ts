// The page can be installed, does not pay for that at the start, and says when there is a newer one.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { webDir } from '../../fixtures/server.ts';
import { expect, test } from '../../fixtures/test.ts';

test('a browser may install it', async ({ people, server }) => {
  const { ann } = await people.together('kitchen', 'ann', 'bob');
  const devtools = await ann.context.newCDPSession(ann.page);
  const manifest = await devtools.send('Page.getAppManifest');
  expect(manifest.errors).toEqual([]);
  await ann.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // The tests' browsers keep nothing when they are closed, which is all that stands in the way.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([]);
  const { icons } = JSON.parse(manifest.data ?? '{}') as { icons: { src: string; sizes: string; purpose: string }[] };
  expect(icons.some(({ purpose }) => purpose === 'maskable')).toBe(true);
  for (const { src, sizes } of icons.filter(({ sizes }) => sizes !== 'any')) {
    const size = await ann.page.evaluate(async (address) => {
      const image = new Image();
      image.src = address;
      await image.decode();
      return `${image.naturalWidth}x${image.naturalHeight}`;
    }, `${server.origin}${src}`);
    expect(size, src).toBe(sizes);
  }
});

test('the worker and its files come after the page', async ({ people }) => {
  const ann = await people.person('ann');
  const asked: string[] = [];
  ann.context.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await ann.page.goto(`${ann.origin}/`, { waitUntil: 'load' });
  await expect(ann.screen.title()).toHaveText('Welcome to Natter');
  const first = asked.filter((path) => !path.startsWith('/api/'));
  expect(first.filter((path) => /worker|icon-|\.webmanifest/.test(path))).toEqual([]);
  expect(first.length, first.join(', ')).toBeLessThanOrEqual(6);
  await ann.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  expect(asked).toContain('/worker.js');
});

const folder = mkdtempSync(join(tmpdir(), 'natter-e2e-page-'));
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.describe('a newer page', () => {
  test.use({ settings: { webDir: folder } });
  test.beforeAll(() => cpSync(webDir(), folder, { recursive: true }));

  test('is announced, and comes when the person wants it', async ({ people, server }) => {
    test.slow();
    const { ann, room } = await people.together('kitchen', 'ann', 'bob');
    await expect.poll(() => ann.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    const caches = () => ann.page.evaluate(() => self.caches.keys());
    const before = await caches();
    expect(before).toHaveLength(1);
    const notice = ann.page.getByTestId('newer');
    await expect(notice).toHaveCount(0);

    // An update of the server: another page in its folder.
    const worker = join(folder, 'worker.js');
    writeFileSync(worker, readFileSync(worker, 'utf8').replace(/version: '[0-9a-f]+'/, "version: '00000000000000ff'"));
    for (const compressed of ['worker.js.br', 'worker.js.gz']) {
      rmSync(join(folder, compressed), { force: true });
    }
    await server.stop();
    await server.start();
    await ann.page.reload();
    await ann.isIn(room);
    await expect(notice).toContainText('There is a new version', { timeout: 20_000 });
    await ann.says('it goes on as it was');
    await ann.page.evaluate(() => Object.assign(window, { old: true }));
    await notice.getByRole('button', { name: 'Reload' }).click();
    await expect.poll(() => ann.page.evaluate(() => 'old' in window).catch(() => true)).toBe(false);
    await ann.isIn(room);
    await expect(notice).toHaveCount(0);
    expect(await caches(), 'the old one is gone').toEqual(['natter-shell-00000000000000ff']);
    await ann.sees('it goes on as it was');
  });
});
