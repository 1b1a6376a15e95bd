/**
 * Failures of the server that Kubernetes has too: what a client did wrong, answered with 5xx. An answer of 5xx that is
 * none of these is a failure of the run.
 */
export interface KnownError {
  readonly code: number;
  readonly reason?: string;
  readonly message: RegExp;
  /** Where upstream does the same. */
  readonly why: string;
}

export const knownErrors: readonly KnownError[] = [
  {
    code: 500,
    message: /^no preferred addresses found; known addresses: \[\]$/,
    why: 'transcript.json: GET pods/bindme/log; the node of the pod has no address',
  },
  {
    code: 501,
    message: /^this server does not connect to kubelets, so not to that of node /,
    why: 'upstream answers 500 with the failed dial: there is no kubelet here at all',
  },
  {
    code: 501,
    message: /^this server does not connect to services, so not to /,
    why: 'upstream answers 500 with the failed dial: there is no network of pods here',
  },
  {
    code: 503,
    reason: 'ServiceUnavailable',
    message: /^(?:no endpoints available for|no service port .* found for) service ".*"$/s,
    why: 'a proxy to a service that nothing is behind',
  },
  {
    code: 500,
    message:
      /^resourceVersion: Invalid value: ".*": strconv\.ParseUint: parsing ".*": (?:invalid syntax|value out of range)$/s,
    why: 'transcript.json: a watch from resourceVersion=abc; a get does the same',
  },
  {
    code: 500,
    message: /^strconv\.ParseUint: parsing ".*": (?:invalid syntax|value out of range)$/s,
    why: "an update's resourceVersion that is no number comes from the store's versioner, bare",
  },
  {
    code: 500,
    message: /^resourceVersion should not be set on objects to be created$/,
    why: 'a create with a resourceVersion is refused by the storage layer, with an error of no kind',
  },
  {
    code: 500,
    message: /^\[?target\.(?:kind: Unsupported value|name: Required value)/,
    why: 'a binding to nothing is refused with a bare list of field errors',
  },
  {
    code: 504,
    reason: 'Timeout',
    message: /^Timeout: Too large resource version: \d+, current: \d+$/,
    why: 'a revision of the future: the watch cache waits for it and gives up',
  },
  {
    code: 500,
    message: /^unable to find api field in struct .* for the json field ".*"$/s,
    why: 'strategic merge of an unknown field: the library knows 400 and 422 for a few of its errors alone',
  },
  {
    code: 500,
    message: /^expected a \[\]interface \{\}, but received a /,
    why: 'strategic merge: $setElementOrder of what is no list',
  },
  {
    code: 500,
    message: /^unknown patch type: .* in map: /s,
    why: 'strategic merge: $patch says what there is not',
  },
  {
    code: 500,
    message: /^list element types are not identical: /,
    why: 'strategic merge of lists of mixed types',
  },
  {
    code: 500,
    message: /^cannot merge lists without merge key for type /,
    why: 'strategic merge of a list whose items have no key',
  },
  {
    code: 500,
    message: /^map: .* does not contain declared merge key: /s,
    why: 'strategic merge of an item without its key',
  },
  {
    code: 500,
    message: /^merging lists cannot yet be specified in the patch$/,
    why: 'strategic merge: $patch: merge in a list',
  },
  {
    code: 500,
    message: /^The order in patch list:\n/,
    why: 'strategic merge: the items are not in the order of $setElementOrder',
  },
  {
    code: 500,
    message: /^failed to create typed patch object \(/,
    why: 'transcript.json: an apply-patch with a field that the schema does not have',
  },
  {
    code: 500,
    reason: 'InternalError',
    message:
      /^Internal error occurred: failed to allocate requested HealthCheck NodePort \d+: provided port is already allocated$/,
    why: 'a health check port that another service has: whatever its allocation says is an internal error',
  },
  {
    code: 500,
    reason: 'InternalError',
    message: /^Internal error occurred: failed to allocate a serviceIP: range is full$/,
    why: 'all 254 addresses of the range are taken',
  },
  {
    code: 500,
    reason: 'InternalError',
    message: /^Internal error occurred: failed to allocate a nodePort: range is full$/,
    why: 'all 2,768 ports of the range are taken',
  },
  {
    code: 500,
    message: /^Component not found: /s,
    why: 'a component that there is not is an error of no kind',
  },
  {
    code: 500,
    message: /^failed to create typed live object \(/,
    why: 'an apply to an object with list items without their keys, which validation does not ask for: an error of no kind',
  },
  {
    code: 500,
    message: /^failed to convert new object \(/,
    why: 'an applied object that its schema takes and its type does not: an error of no kind, upstream too',
  },
];
