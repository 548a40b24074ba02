// Pictures of every page for the documentation, wide and on a phone, light and dark; those of its states are in states.spec.ts.

import { SIZES, picture } from '../../fixtures/picture.ts';
import { opensTheGarden, scene } from '../../fixtures/scene.ts';
import { expect, test } from '../../fixtures/test.ts';

/** How much happens at a point of a busy time: more in the middle, and never twice the same. */
function aBusyTime(part: number, at: number): Record<string, number> {
  const wave = Math.sin(part * Math.PI) ** 2;
  const noise = ((at * 7_919) % 17) / 17;
  const about = (most: number): number => Math.round(most * wave * (0.7 + 0.3 * noise));
  return {
    online: 3 + about(184),
    messages_sent: about(1_240),
    entries_delivered: about(52_000),
    logins: about(38),
    logins_failed: about(6),
    registrations: about(4),
    errors: at % 5 === 0 ? about(9) : 0,
  };
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`pictures of the pages before the login, ${size}, ${colorScheme}`, async ({ people }) => {
      await people.account('ann');
      const visitor = await people.visitor({ viewport, colorScheme, reducedMotion: 'reduce' });
      const { screen } = visitor;
      await visitor.goes('/login');
      await expect(screen.title()).toHaveText('Log in');
      await picture(visitor, `login-${size}-${colorScheme}`);
      await visitor.goes('/register');
      await screen.field('Username').fill('ann');
      await expect(screen.suggestions().first()).toBeVisible();
      await screen.field('Email').fill('ann@example.org');
      await screen.gender('Female').check();
      await screen.password().fill('four brown kettles sing');
      await expect(screen.passwordMeter()).toHaveAttribute('data-score', /^[34]$/);
      await picture(visitor, `register-${size}-${colorScheme}`);
      await visitor.goes('/guest');
      await screen.button('Come in').click();
      await expect(screen.note('code')).not.toBeEmpty();
      await picture(visitor, `guest-${size}-${colorScheme}`);
    });

    test(`pictures of the administrators' page, ${size}, ${colorScheme}`, async ({ people, server }) => {
      test.slow();
      const { ann } = await scene(people, { viewport, colorScheme });
      server.administers('grant', 'ann');
      // A day that nobody wants to wait for: the figures of the server's answer are replaced, its times are kept.
      await ann.page.route('**/api/v1/admin/figures*', async (route) => {
        const answer = await route.fetch();
        const figures = (await answer.json()) as { items: Record<string, number>[] };
        figures.items.forEach((figure, at) => Object.assign(figure, aBusyTime(at / figures.items.length, at)));
        await route.fulfill({ response: answer, json: figures });
      });
      await ann.goes('/admin');
      await expect(ann.screen.chart('errors')).toBeVisible();
      await ann.page.getByRole('radio', { name: 'Day', exact: true }).check({ force: true });
      await ann.screen.chart('online').getByRole('slider').press('End');
      await picture(ann, `admin-${size}-${colorScheme}`);
      for (const [path, name] of [['/admin/events', 'events'], ['/admin/users', 'users'], ['/admin/rooms', 'rooms']] as const) {
        await ann.goes(path);
        await expect(ann.page.locator('main li').first()).toBeVisible();
        await picture(ann, `admin-${name}-${size}-${colorScheme}`);
      }
      await ann.goes('/settings');
      await ann.screen.button('Delete account…').click();
      await picture(ann, `delete-account-${size}-${colorScheme}`);
    });

    test(`pictures of the pages after the login, ${size}, ${colorScheme}`, async ({ people }) => {
      test.slow();
      const all = await scene(people, { viewport, colorScheme });
      const { ann, cleo } = all;
      const { screen } = ann;
      for (const [path, title, name] of [
        ['/', 'Welcome to Natter', 'welcome'],
        ['/browse', 'Browse rooms', 'browse'],
        ['/settings', 'Settings', 'settings'],
        ['/u/bob', 'Bob', 'profile'],
        ['/no/such/page', 'Not found', 'not-found'],
      ] as const) {
        await ann.goes(path);
        await expect(screen.title()).toHaveText(title);
        if (name === 'browse') {
          await expect(screen.directoryRoom('music')).toBeVisible();
        }
        if (name === 'settings') {
          await expect(screen.sessions().first()).toBeVisible();
        }
        await expect(screen.toasts()).toHaveCount(0);
        await picture(ann, `${name}-${size}-${colorScheme}`);
      }

      await opensTheGarden(all);
      await cleo.screen.composer().pressSequentially('That is');
      await expect(screen.typing()).toContainText('Cleo is writing');
      await picture(ann, `room-${size}-${colorScheme}`);

      if (size === 'phone') {
        await screen.button('Rooms').click();
        await expect(screen.roomLink(all.garden.id)).toBeInViewport();
        await picture(ann, `rooms-${size}-${colorScheme}`);
        await ann.page.keyboard.press('Escape');
        await screen.button('People').click();
        await expect(screen.person('bob')).toBeInViewport();
        await picture(ann, `people-${size}-${colorScheme}`);
        return;
      }
      await ann.page.keyboard.press('Control+k');
      await screen.jump().fill('k');
      await expect(screen.option(/kitchen/)).toBeVisible();
      await picture(ann, `jump-${size}-${colorScheme}`);
      await ann.page.keyboard.press('Escape');
      await screen.button('New room').click();
      await screen.newRoom().getByRole('textbox', { name: 'Name' }).fill('shed');
      await picture(ann, `new-room-${size}-${colorScheme}`);
      await screen.newRoom().getByRole('button', { name: 'Create room' }).click();
      await expect(screen.newCode()).toBeVisible();
      await picture(ann, `invite-${size}-${colorScheme}`);
      await ann.page.keyboard.press('Escape');
      await screen.roomLink(all.garden.id).click();
      await ann.isIn(all.garden);
      await screen.button('Room settings').click();
      await expect(screen.dialog('Room settings').getByTestId('join-code')).toBeVisible();
      await picture(ann, `room-settings-${size}-${colorScheme}`);
      await ann.page.keyboard.press('Escape');
      await screen.person('bob').click();
      await expect(screen.dialog('Bob').getByRole('radio', { name: 'admin' })).toBeVisible();
      await picture(ann, `person-${size}-${colorScheme}`);
      await ann.page.keyboard.press('Escape');
      await ann.losesTheNetwork();
      await ann.says('I order them now');
      await expect(screen.banner()).toBeVisible();
      await picture(ann, `reconnecting-${size}-${colorScheme}`);
    });
  }
}
