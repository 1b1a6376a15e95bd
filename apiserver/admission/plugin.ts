/** Admission: what may change or refuse a write between decoding and the store (decision 11). */
import type { KubeObject, ResourceDefinition } from '../../schemas/definition.js';
import type { RequestContext } from '../request.js';

export interface AdmissionAttributes {
  readonly context: RequestContext;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined for DELETE. Mutating plugins change it in place. */
  readonly object: KubeObject | undefined;
  /** Undefined for CREATE. Never changed. */
  readonly old: KubeObject | undefined;
  readonly dryRun: boolean;
}

/** Refuses by throwing a `StatusError`. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Whether the plugin has anything to do with such a request; cheap, called for each. */
  handles(attributes: AdmissionAttributes): boolean;
  /** Mutating phase: after defaults, before validation. What it adds has its own defaults in. */
  admit?(attributes: AdmissionAttributes): Promise<void> | void;
  /** Validating phase: after validation, before the store. */
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}
