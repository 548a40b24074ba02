// A room of 100 000 messages and 2 000 members: it opens, scrolls through thousands of messages and through its people, jumps,
// and holds no more of them than a small room does. Frames and memory are printed and written to results; what is asserted does
// not depend on how fast the machine is.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { longRoom, seqOf, textOf, writeArchive } from '../../fixtures/archive.ts';
import { type Frames, type Weight, framesOf, scrolls, watchMemory, weightOf } from '../../fixtures/frames.ts';
import type { Person } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

const ROOM = longRoom(2_000, 100_000);
const folder = mkdtempSync(join(tmpdir(), 'natter-archive-'));
const archive = join(folder, 'long-room.natter');

test.use({ settings: { archive } });
test.beforeAll(() => writeArchive(archive, ROOM));
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Elements that one row of the timeline, and one line of the list, may have at most; and rows and lines that are drawn. */
const PER_ROW = 40;
const ROWS = 160;
const PER_LINE = 16;
const LINES = 120;

/** The seqs of the messages and events in the document. */
async function rows(ann: Person): Promise<number[]> {
  const all = ann.screen.log().locator('[data-seq]');
  return all.evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))));
}

/** The first and the last of them. */
async function drawn(ann: Person): Promise<[number, number]> {
  const seqs = await rows(ann);
  return [seqs[0] ?? 0, seqs[seqs.length - 1] ?? 0];
}

/** What is drawn stands without a hole. */
async function hasNoHoles(ann: Person): Promise<void> {
  const seqs = await rows(ann);
  expect(seqs).toEqual(seqs.map((_, at) => (seqs[0] ?? 0) + at));
}

test('100 000 messages and 2 000 members', async ({ people }) => {
  test.setTimeout(300_000);
  const ann = await people.person('ann');
  await ann.api.join({ id: ROOM.id, name: ROOM.name, kind: 'room' });
  await watchMemory(ann.page);
  const cdp = await ann.context.newCDPSession(ann.page);
  await cdp.send('Performance.enable');
  await ann.opens({ id: ROOM.id, name: ROOM.name, kind: 'room' });
  await ann.sees(textOf(ROOM.messages));
  await expect(ann.screen.people()).toContainText('2000');

  const frames: Record<string, Frames> = {};
  const weights: Record<string, Weight> = {};
  const weighs = async (when: string): Promise<Weight> => {
    const weight = await weightOf(ann.page, cdp);
    weights[when] = weight;
    expect(weight.timeline, `elements in the timeline, ${when}`).toBeLessThan(ROWS * PER_ROW);
    expect(weight.people, `elements in the list of people, ${when}`).toBeLessThan(LINES * PER_LINE);
    return weight;
  };
  await weighs('opened');

  // Up, as far as it gets in some seconds, and further by leaps: each leap loads a page.
  await ann.screen.log().hover();
  frames['up'] = await framesOf(ann.page, () => scrolls(ann.page, '.log', -60, 6_000));
  const leapsTo = async (target: number, by: number) => {
    await expect(async () => {
      await scrolls(ann.page, '.log', by, 400);
      const [first, last] = await drawn(ann);
      expect(by < 0 ? first <= target : last >= target).toBe(true);
    }).toPass({ timeout: 90_000, intervals: [10] });
  };
  const [reached] = await drawn(ann);
  await leapsTo(Math.min(reached, seqOf(ROOM, ROOM.messages)) - 600, -4_000);
  await hasNoHoles(ann);
  const early = await weighs('1 000 messages up');
  const [above] = await drawn(ann);
  await leapsTo(above - 2_500, -4_000);
  await hasNoHoles(ann);
  const late = await weighs('3 500 messages up');
  frames['up, far'] = await framesOf(ann.page, () => scrolls(ann.page, '.log', -60, 4_000));

  // What is said meanwhile is not lost on the way down, and nothing is read before it was seen.
  const said = await ann.api.send({ id: ROOM.id, name: ROOM.name, kind: 'room' }, 'Said while Ann was far above');
  frames['down'] = await framesOf(ann.page, () => scrolls(ann.page, '.log', 60, 4_000));
  await leapsTo(said, 4_000);
  await hasNoHoles(ann);
  await ann.sees('Said while Ann was far above');
  const back = await weighs('down again');

  // A leap to the beginning of time: to a message of long ago, and by the button to the end.
  await ann.screen.button('Search this room').click();
  await ann.page.getByRole('searchbox', { name: 'Search messages' }).fill('larkspur');
  await ann.page.getByTestId('search-result').click();
  await expect(ann.screen.messageAt(seqOf(ROOM, 40))).toBeVisible();
  await hasNoHoles(ann);
  await weighs('at message 40');
  await ann.screen.latest().click();
  await ann.sees('Said while Ann was far above');
  await expect(ann.screen.latest()).toBeHidden();

  // The people: all of them can be scrolled to, few are drawn.
  frames['people'] = await framesOf(ann.page, () => scrolls(ann.page, '.people', 60, 4_000));
  await scrolls(ann.page, '.people', 100_000, 300);
  await expect(ann.screen.people().getByText('Person 999', { exact: true })).toBeVisible();
  await weighs('at the last member');
  await scrolls(ann.page, '.people', -100_000, 300);
  await expect(ann.screen.person('ann')).toBeVisible();

  const table = (rows: Record<string, object>) => {
    const names = Object.keys(Object.values(rows)[0] ?? {});
    return [['', ...names], ...Object.entries(rows).map(([name, row]) => [name, ...Object.values(row).map(String)])]
      .map((line) => line.map((cell, at) => (at === 0 ? cell.padEnd(20) : cell.padStart(10))).join(''))
      .join('\n');
  };
  const text = `${table(frames)}\n\n${table(weights)}\n`;
  console.log(`\n${text}`);
  mkdirSync('results', { recursive: true });
  writeFileSync('results/large room.txt', text);
  writeFileSync('results/large room.json', `${JSON.stringify({ frames, weights }, undefined, 2)}\n`);

  // Two and a half thousand more messages have gone by, and nothing of them is left; a page and its garbage are allowed for.
  expect(late.heapMb, 'JavaScript heap does not grow with what was scrolled through').toBeLessThan(early.heapMb * 1.3 + 4);
  expect(back.heapMb).toBeLessThan(early.heapMb * 1.3 + 4);
  if (early.wasmMb > 0) {
    expect(late.wasmMb, 'nor does the memory of the module').toBeLessThan(early.wasmMb * 1.3 + 4);
  }
});
