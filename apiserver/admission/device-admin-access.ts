/**
 * Access to devices that are in use, to look after them, is for namespaces that an administrator has marked. Upstream
 * finds this out with the rules of claims and of their templates, which here see one object only.
 */
import type { KubeObject } from '../../schemas/definition.js';
import { forbidden } from '../../schemas/field-error.js';
import { RESOURCE_GROUP } from '../../schemas/resource/v1/device-claim-schema.js';
import { invalid } from '../errors.js';
import { coreRegistry, lookUp, type Registries } from './lookup.js';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.js';

const MARK = 'resource.kubernetes.io/admin-access';
const CLAIMS = 'resourceclaims';
const TEMPLATES = 'resourceclaimtemplates';

interface Claim {
  readonly spec?: {
    readonly devices?: Requests;
    /** Of a template. */
    readonly spec?: { readonly devices?: Requests };
  };
  readonly status?: {
    readonly allocation?: { readonly devices?: { readonly results?: readonly { adminAccess?: boolean }[] } };
  };
}
interface Requests {
  readonly requests?: readonly { readonly exactly?: { readonly adminAccess?: boolean } }[];
}

export const deviceAdminAccess = (registries: Registries): AdmissionPlugin => ({
  name: 'DeviceAdminAccess',
  handles: ({ operation, definition: { group, plural }, subresource }) =>
    group === RESOURCE_GROUP &&
    (operation === 'CREATE'
      ? subresource === '' && (plural === CLAIMS || plural === TEMPLATES)
      : operation === 'UPDATE' && subresource === 'status' && plural === CLAIMS),
  async validate(attributes) {
    const path = askedFor(attributes);
    if (path === undefined) return;
    const { context, namespace, name, definition } = attributes;
    const found = await lookUp(coreRegistry(registries, 'namespaces'), context, '', namespace);
    if (found?.metadata.labels?.[MARK] === 'true') return;
    const why = `admin access to devices requires the \`${MARK}: true\` label on the containing namespace`;
    throw invalid({ group: definition.group, name: definition.kind }, name, [forbidden(path, why)]);
  },
});

/** The field that asks for it, or undefined. What a claim was given already it keeps. */
function askedFor({ object, old, subresource, definition }: AdmissionAttributes): string | undefined {
  if (subresource === 'status') {
    if (grantedAt(old) !== -1) return undefined;
    const i = grantedAt(object);
    return i === -1 ? undefined : `status.allocation.devices.results[${i}].adminAccess`;
  }
  const { spec } = (object ?? {}) as Claim;
  const { requests = [] } = (definition.plural === TEMPLATES ? spec?.spec?.devices : spec?.devices) ?? {};
  const i = requests.findIndex(({ exactly }) => exactly?.adminAccess === true);
  return i === -1 ? undefined : `spec.devices.requests[${i}].adminAccess`;
}

function grantedAt(object: KubeObject | undefined): number {
  const { results = [] } = ((object ?? {}) as Claim).status?.allocation?.devices ?? {};
  return results.findIndex(({ adminAccess }) => adminAccess === true);
}
