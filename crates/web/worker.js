// Keeps what the page is made of, so that it opens without a network. What the server says is never kept here: calls to it
// pass by. In place since src/live/worker.rs asked for it, which release builds do once the page is there.

// The build writes here which files there are, and a word that changes with any of them (crates/xtask/src/worker.rs).
const SHELL = { version: 'none', files: [] };

const PREFIX = 'natter-shell-';
const NAME = PREFIX + SHELL.version;
const INDEX = '/index.html';
/** The server's own paths. */
const SERVER = ['/api', '/health', '/metrics'];
/** So long a page may take to come before the kept one is shown, in milliseconds. */
const PATIENCE = 4_000;
/** For so long after the network failed, nothing waits for it again: a page is made of several files. */
const AFTERMATH = 30_000;

self.addEventListener('install', (event) => event.waitUntil(keepAll()));
self.addEventListener('activate', (event) => event.waitUntil(takeOver()));

// The page says when the version that waits shall take over: when the person wants to load it.
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') {
    self.skipWaiting();
  }
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const isServers = SERVER.some((path) => pathname === path || pathname.startsWith(`${path}/`));
  if (request.method !== 'GET' || origin !== self.location.origin || isServers) {
    return;
  }
  if (request.mode === 'navigate') {
    event.respondWith(page(request));
  } else if (SHELL.files.includes(pathname)) {
    event.respondWith(isHashed(pathname) ? keptFirst(request) : networkFirst(request, pathname));
  }
});

/** A name that changes with its content, as the build writes it: a dash and sixteen digits. */
function isHashed(path) {
  return /-[0-9a-f]{16}[._]/.test(path);
}

async function keepAll() {
  const cache = await caches.open(NAME);
  await Promise.all(
    SHELL.files.map(async (file) => {
      // What the browser holds of a hashed name is right; of another one it has to ask.
      const answer = await fetch(file, { cache: isHashed(file) ? 'default' : 'no-cache' });
      if (!answer.ok) {
        throw new Error(`${file}: ${answer.status}`);
      }
      await cache.put(file, answer);
    }),
  );
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
  await self.clients.claim();
}

function kept(path) {
  return caches.match(path, { cacheName: NAME });
}

/** An answer of the network that is one, and comes in time. */
async function fromNetwork(request) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), PATIENCE);
  });
  try {
    const answer = await Promise.race([fetch(request), late]);
    // Where a proxy stands before a server that is not there.
    if (answer.status >= 500) {
      throw new Error(`${answer.status}`);
    }
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

let failedAt = 0;

async function networkFirst(request, path) {
  const isPart = request.mode !== 'navigate' && Date.now() - failedAt < AFTERMATH;
  const known = isPart ? await kept(path) : undefined;
  if (known) {
    return known;
  }
  try {
    return await fromNetwork(request);
  } catch {
    failedAt = Date.now();
    return (await kept(path)) ?? fetch(request);
  }
}

/** Every path of the page is the same page. */
function page(request) {
  return networkFirst(request, INDEX);
}

async function keptFirst(request) {
  return (await kept(new URL(request.url).pathname)) ?? fetch(request);
}
