// Joining and leaving is told to the others by a toast and a line in the log, never to oneself by a toast.

import { expect, test } from '../../fixtures/test.ts';

test('the others are told who joins and who leaves, oneself is not', async ({ people }) => {
  const { ann, room } = await people.together('kitchen', 'ann');
  const bob = await people.person('bob');
  const told: string[] = [];
  await bob.page.exposeFunction('told', (text: string) => told.push(text));
  await bob.page.addInitScript(() => {
    const tell = (window as unknown as { told(text: string): void }).told;
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        const toast = '[data-testid="toast"]';
        const shown = node instanceof Element && (node.closest(toast) ?? node.querySelector(toast));
        if (shown) {
          tell(shown.textContent ?? '');
        }
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await bob.goes('/browse');
  await bob.screen.directoryRoom('kitchen').getByRole('button', { name: /Join/ }).click();
  await expect(bob.screen.roomLink(room.id)).toBeVisible();
  await bob.opens(room);
  await ann.seesToast(/Bob joined/);
  await expect(ann.screen.events().filter({ hasText: /Bob joined/ })).toHaveCount(1);

  await bob.screen.button('Leave the room').click();
  await bob.screen.dialog('Leave the room?').getByRole('button', { name: 'Leave', exact: true }).click();
  await expect(bob.screen.roomLink(room.id)).toHaveCount(0);
  await ann.seesToast(/Bob left/);
  await expect(ann.screen.events().filter({ hasText: /Bob left/ })).toHaveCount(1);
  expect(told.filter((text) => text.includes('Bob')), 'no toast about oneself').toEqual([]);
});

test('one can leave and come back, and the history is there', async ({ people }) => {
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  await ann.says('before');
  await bob.sees('before');
  await bob.screen.button('Leave the room').click();
  await bob.screen.dialog('Leave the room?').getByRole('button', { name: 'Cancel', exact: true }).click();
  await bob.says('I stay');
  await bob.screen.button('Leave the room').click();
  await bob.screen.dialog('Leave the room?').getByRole('button', { name: 'Leave', exact: true }).click();
  await expect(bob.screen.roomLink(room.id)).toHaveCount(0);
  await ann.says('while Bob is away');
  await bob.goes('/browse');
  await bob.screen.directoryRoom('kitchen').getByRole('button', { name: /Join/ }).click();
  await bob.screen.roomLink(room.id).click();
  await bob.isIn(room);
  await bob.seesExactly(['before', 'I stay', 'while Bob is away']);
});
