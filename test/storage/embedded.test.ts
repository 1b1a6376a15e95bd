import path from 'node:path';
import t, { type Test } from 'tap';
import { openStore } from '../../storage/open.js';
import { clientSuite } from './client-suite.js';
import { temporaryFolder } from './tools.js';

async function target(t: Test, dataDir: string) {
  const store = await openStore({ dataDir, onFatal: (error) => t.fail(error.stack ?? error.message) });
  t.teardown(() => store.close());
  return { client: store.client, tellsProgress: true };
}

t.test('the embedded store on disk', async (t) => {
  clientSuite(t, (t) => target(t, path.join(temporaryFolder(t), 'data')));
});

t.test('the embedded store in memory', async (t) => {
  clientSuite(t, (t) => target(t, ':memory:'));
});
