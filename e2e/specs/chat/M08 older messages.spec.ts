// Entering a room shows the last messages; scrolling up loads older ones and keeps the place.

import { type Person } from '../../fixtures/person.ts';
import { type Room } from '../../fixtures/api.ts';
import { expect, test } from '../../fixtures/test.ts';

async function fill(person: Person, room: Room, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    await person.api.send(room, `line ${n}`);
  }
}

test('the last messages are shown, older ones come on scrolling up, and the place is kept', async ({ people }) => {
  const ann = await people.person('ann');
  const room = await ann.api.createRoom('kitchen');
  await fill(ann, room, 100);
  const asked: string[] = [];
  ann.page.on('request', (request) => request.url().includes('/messages?') && asked.push(request.url()));
  await ann.opens(room);
  await expect(ann.screen.message('line 100')).toBeInViewport();
  await ann.doesNotSee('line 70');
  await ann.sees('line 75', 10_000);

  // Scrolls to the top of what is there; the line that is at the top then must not jump when older ones come.
  const held = ann.screen.message('line 71');
  await held.scrollIntoViewIfNeeded();
  await expect(ann.screen.message('line 60')).toHaveCount(1);
  await expect(held).toBeInViewport();

  for (const line of ['line 45', 'line 25', 'line 1']) {
    await expect(async () => {
      await ann.screen.log().hover();
      await ann.page.mouse.wheel(0, -4_000);
      await expect(ann.screen.message(line)).toHaveCount(1, { timeout: 500 });
    }).toPass({ timeout: 15_000 });
  }
  await expect(ann.screen.logStart()).toBeVisible();
  expect(asked.filter((url) => url.includes('before=')).length, 'page by page').toBeGreaterThanOrEqual(3);
});

test('a message that arrives while one reads older ones does not move them', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await fill(ann, room, 60);
  await expect(ann.screen.message('line 60')).toBeInViewport();
  await ann.screen.log().hover();
  await ann.page.mouse.wheel(0, -600);
  await expect(ann.screen.message('line 60')).not.toBeInViewport();
  await expect(ann.screen.latest()).toBeVisible();
  const held = ann.screen.messages().and(ann.page.locator('[data-seq]')).nth(20);
  await held.scrollIntoViewIfNeeded();
  const text = await ann.screen.body(held).innerText();
  const before = (await ann.screen.message(text).boundingBox())!;
  await bob.says('something new below');
  await expect.poll(() => ann.api.bodies(room)).toContain('something new below');
  await ann.sees('something new below').catch(() => undefined);
  const after = (await ann.screen.message(text).boundingBox())!;
  expect(Math.abs(after.y - before.y)).toBeLessThanOrEqual(2);

  await ann.screen.latest().click();
  await expect(ann.screen.message('something new below')).toBeInViewport();
});
