// Notifications of the browser. What the system shows cannot be seen from here, so the class that makes them writes down
// what it was asked for; everything else is the page's own.

import type { BrowserContext, Page } from '@playwright/test';

import type { Person } from '../../fixtures/person.ts';
import { expect, test } from '../../fixtures/test.ts';

interface Shown {
  title: string;
  body?: string;
  tag?: string;
}

declare global {
  interface Window {
    shown: Shown[];
    click: () => void;
    asked: number;
  }
}

/** Browsers ask the person; this one is allowed, once it asks. */
async function watchNotifications(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    window.shown = [];
    window.asked = 0;
    class Notification extends EventTarget {
      static get permission(): string {
        return localStorage.getItem('test-permission') ?? 'default';
      }
      static async requestPermission(): Promise<string> {
        window.asked += 1;
        localStorage.setItem('test-permission', 'granted');
        return 'granted';
      }
      onclick: (() => void) | null = null;
      constructor(title: string, options: NotificationOptions = {}) {
        super();
        window.shown.push({ title, body: options.body, tag: options.tag });
        window.click = () => this.onclick?.();
      }
      close(): void {}
    }
    Object.defineProperty(window, 'Notification', { value: Notification });
  });
}

const shown = (page: Page): Promise<Shown[]> => page.evaluate(() => window.shown);

async function switchesThemOn(person: Person): Promise<void> {
  await person.goes('/settings');
  await expect(person.screen.title()).toHaveText('Settings');
  expect(await person.page.evaluate(() => window.asked), 'nobody is asked by looking').toBe(0);
  await person.screen.button('Switch on notifications').click();
  await expect(person.page.getByRole('radio', { name: 'Who and what' })).toBeChecked();
}

test('mentions and direct messages notify who looks elsewhere, and lead there', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await watchNotifications(bob.context);
  await switchesThemOn(bob);
  await ann.says('nothing for anybody');
  await ann.says('@bob are you there?');
  await expect.poll(() => shown(bob.page)).toEqual([
    { title: 'Ann mentioned you in kitchen', body: '@bob are you there?', tag: room.id },
  ]);
  await bob.page.evaluate(() => window.click());
  await bob.isIn(room);
  await bob.sees('@bob are you there?');

  // The room that is looked at does not call; another one does, and so does a conversation.
  await ann.says('@bob and here?');
  await ann.hasTick('@bob and here?', 'read');
  await ann.api.send(await ann.api.direct('bob'), 'only for you');
  await expect.poll(() => shown(bob.page)).toHaveLength(2);
  expect((await shown(bob.page))[1]).toMatchObject({ title: 'Ann wrote to you', body: 'only for you' });
});

test('what was written stays off the screen if one wants, and a muted room is silent', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await watchNotifications(bob.context);
  await switchesThemOn(bob);
  await bob.page.getByText('Who only', { exact: true }).click();
  await ann.says('@bob a secret');
  await expect.poll(() => shown(bob.page)).toEqual([{ title: 'Ann mentioned you in kitchen', tag: room.id }]);
  await bob.api.ask('PUT', `/rooms/${room.id}/notify`, { notify: 'nothing' });
  await expect(bob.screen.roomLink(room.id)).toHaveClass(/muted/);
  await ann.says('@bob muted');
  await ann.api.send(await ann.api.direct('bob'), 'not muted');
  await expect.poll(() => shown(bob.page)).toHaveLength(2);
  expect((await shown(bob.page))[1]!.title).toBe('Ann wrote to you');

  await bob.page.getByRole('group', { name: 'Show' }).getByText('Nothing', { exact: true }).click();
  await bob.api.ask('PUT', `/rooms/${room.id}/notify`, { notify: 'everything' });
  await expect(bob.screen.roomLink(room.id)).not.toHaveClass(/muted/);
  await ann.says('@bob switched off');
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-mentions', '3');
  await bob.page.reload();
  await expect(bob.screen.roomLink(room.id)).toHaveAttribute('data-mentions', '3');
  expect(await shown(bob.page)).toEqual([]);
});

test('of several tabs one notifies, and another takes over when it closes', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await watchNotifications(bob.context);
  await switchesThemOn(bob);
  const second = await bob.opensATab();
  await second.goes('/browse');
  await expect(second.screen.roomLink(room.id)).toBeVisible();
  const all = async (): Promise<number> => (await shown(bob.page)).length + (await shown(second.page)).length;
  await ann.says('@bob once');
  await expect(second.screen.roomLink(room.id)).toHaveAttribute('data-mentions', '1');
  await expect.poll(all).toBe(1);
  await ann.says('@bob twice');
  await expect.poll(all).toBe(2);
  const leads = (await shown(bob.page)).length > 0;
  const [first, other] = leads ? [bob, second] : [second, bob];
  expect(await shown(other.page)).toEqual([]);
  await first.page.close();
  await ann.says('@bob thrice');
  await expect.poll(async () => (await shown(other.page)).length).toBe(1);
});

test('a browser that blocks them says what to do', async ({ people }) => {
  const bob = await people.person('bob');
  await watchNotifications(bob.context);
  await bob.context.addInitScript(() => localStorage.setItem('test-permission', 'denied'));
  await bob.goes('/settings');
  await expect(bob.page.getByRole('region', { name: 'Notifications' })).toContainText('Your browser blocks notifications');
});
