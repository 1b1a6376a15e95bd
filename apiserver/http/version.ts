/** /version: the Kubernetes version whose API this server has, and what it really is. */
import { arch, platform } from 'node:process';

/** The version of Kubernetes that clients find here. */
export const kubernetesVersion = { major: '1', minor: '36', patch: '2' } as const;

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** `build`: Wherry's own version. */
export function versionInfo(build: string): object {
  const { major, minor, patch } = kubernetesVersion;
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.${patch}+wherry-${build}`,
    gitCommit: `wherry-${build}`,
    gitTreeState: 'archive',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `none (Node.js ${process.version})`,
    compiler: 'v8',
    platform: `${platform}/${goArchitectures[arch] ?? arch}`,
  };
}
