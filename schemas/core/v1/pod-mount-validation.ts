/** Rules for how containers mount the volumes of their pod. */
import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '../../field-error.js';
import type { Container, EphemeralContainer, VolumeMount } from './pod-containers.js';
import { validateDescendingPath } from './pod-path-validation.js';
import type { Volume } from './pod-volumes.js';

type Mounter = Pick<Container | EphemeralContainer, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None'];
const RECURSIVE_READ_ONLY = ['Disabled', 'Enabled', 'IfPossible'];

export function validateMounts(
  errors: FieldError[],
  container: Mounter,
  volumes: ReadonlyMap<string, Volume>,
  field: string,
): void {
  const { volumeMounts = [], volumeDevices = [] } = container;
  if (volumeMounts.length > 0) validateVolumeMounts(errors, container, volumes, `${field}.volumeMounts`);
  if (volumeDevices.length > 0) validateVolumeDevices(errors, container, volumes, `${field}.volumeDevices`);
}

function validateVolumeMounts(
  errors: FieldError[],
  container: Mounter,
  volumes: ReadonlyMap<string, Volume>,
  field: string,
): void {
  const devices = container.volumeDevices ?? [];
  const deviceNames = new Set(devices.map((device) => device.name));
  const devicePaths = new Set(devices.map((device) => device.devicePath));
  const paths = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const path = `${field}[${i}]`;
    const { name = '', mountPath = '' } = mount;
    if (name === '') errors.push(required(`${path}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${path}.name`, name));
    if (mountPath === '') errors.push(required(`${path}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalid(`${path}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (deviceNames.has(name)) {
      errors.push(invalid(`${path}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devicePaths.has(mountPath)) {
      const problem = 'must not already exist as a path in volumeDevices';
      errors.push(invalid(`${path}.mountPath`, mountPath, problem));
    }
    validateSubPaths(errors, mount, volumes.get(name)?.image !== undefined, path, field);
    validatePropagation(errors, mount, container, `${field}.mountPropagation`);
    validateRecursive(errors, mount, `${field}.recursiveReadOnly`);
  }
}

/** Upstream reports what is wrong with the paths themselves without the mount's index. */
function validateSubPaths(
  errors: FieldError[],
  { subPath = '', subPathExpr = '' }: VolumeMount,
  ofImage: boolean,
  path: string,
  field: string,
): void {
  if (ofImage) {
    const problem = 'not allowed in image volume sources';
    if (subPath !== '') errors.push(invalid(`${path}.subPath`, subPath, problem));
    if (subPathExpr !== '') errors.push(invalid(`${path}.subPathExpr`, subPathExpr, problem));
  }
  if (subPath !== '') validateDescendingPath(errors, subPath, `${field}.subPath`);
  if (subPathExpr === '') return;
  if (subPath !== '') {
    const problem = 'subPathExpr and subPath are mutually exclusive';
    errors.push(invalid(`${path}.subPathExpr`, subPathExpr, problem));
  }
  validateDescendingPath(errors, subPathExpr, `${field}.subPathExpr`);
}

function validatePropagation(
  errors: FieldError[],
  { mountPropagation: propagation }: VolumeMount,
  { securityContext }: Mounter,
  field: string,
): void {
  if (propagation === undefined) return;
  if (!PROPAGATIONS.includes(propagation)) errors.push(notSupported(field, propagation, PROPAGATIONS));
  if (propagation === 'Bidirectional' && securityContext?.privileged !== true) {
    const problem = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(forbidden(field, problem));
  }
}

function validateRecursive(errors: FieldError[], mount: VolumeMount, field: string): void {
  const { recursiveReadOnly: mode, readOnly, mountPropagation: propagation } = mount;
  if (mode === undefined || mode === 'Disabled') return;
  if (!RECURSIVE_READ_ONLY.includes(mode)) {
    errors.push(notSupported(field, mode, RECURSIVE_READ_ONLY));
    return;
  }
  if (!readOnly) errors.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (propagation !== undefined && propagation !== 'None') {
    const problem = 'may only be specified when mountPropagation is None or not specified';
    errors.push(forbidden(field, problem));
  }
}

function validateVolumeDevices(
  errors: FieldError[],
  container: Mounter,
  volumes: ReadonlyMap<string, Volume>,
  field: string,
): void {
  const mounts = container.volumeMounts ?? [];
  const mountNames = new Set(mounts.map((mount) => mount.name));
  const mountPaths = new Set(mounts.map((mount) => mount.mountPath));
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [i, { name = '', devicePath = '' }] of (container.volumeDevices ?? []).entries()) {
    const path = `${field}[${i}]`;
    const volume = volumes.get(name);
    if (name === '') errors.push(required(`${path}.name`));
    if (names.has(name)) errors.push(invalid(`${path}.name`, name, 'must be unique'));
    if (!volume) errors.push(notFound(`${path}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const problem = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${path}.name`, name, problem));
    }
    if (devicePath === '') errors.push(required(`${path}.devicePath`));
    if (paths.has(devicePath)) errors.push(invalid(`${path}.devicePath`, devicePath, 'must be unique'));
    if (devicePath.split('/').includes('..')) {
      errors.push(invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mountNames.has(name)) {
      errors.push(invalid(`${path}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mountPaths.has(devicePath)) {
      const problem = 'must not already exist as a path in volumeMounts';
      errors.push(invalid(`${path}.devicePath`, devicePath, problem));
    }
    if (name !== '') names.add(name);
  }
}
