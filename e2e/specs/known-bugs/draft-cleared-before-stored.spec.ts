// In a program that this one replaces, the text box was cleared before the server had the message, and then it was gone.

import { expect, test } from '../../fixtures/test.ts';

test('a message that the server never got is not lost, not even with the tab closed', async ({ people, server }) => {
  test.slow();
  const { ann, bob, room } = await people.together('kitchen', 'ann', 'bob');
  // The server freezes: the message leaves the browser, is read by nobody, and dies with the server.
  server.pause();
  await ann.says('this must not get lost');
  await ann.hasTick('this must not get lost', 'sending');
  await server.kill9();
  await ann.sees('this must not get lost');
  await ann.page.close();
  await server.start();

  const again = await ann.opensATab();
  await again.opens(room);
  await again.seesExactly(['this must not get lost']);
  await bob.seesExactly(['this must not get lost']);
  expect(await ann.api.bodies(room)).toEqual(['this must not get lost']);
});
