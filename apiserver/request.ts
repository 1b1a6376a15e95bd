/** What a request is about, found once from its method, path and query. Every later stage reads it. */
export interface UserInfo {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Whoever reaches the loopback port, and the holder of the kubeconfig's client certificate. */
export const localAdministrator: UserInfo = {
  username: 'wherry:admin',
  uid: '',
  groups: ['system:masters', 'system:authenticated'],
  extra: {},
};

export interface RequestInfo {
  readonly isResourceRequest: boolean;
  readonly path: string;
  /** A `Verb` of resource requests; for other paths the lower-case HTTP method. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /**
   * '' for cluster-scoped resources and for requests across all namespaces; of a request for one namespace its own
   * name, as upstream has it. Registries are given '' for that.
   */
  readonly namespace: string;
  /** Plural, from the path. */
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
}

/** One request on its way through the chain. */
export interface RequestContext {
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** As the client names itself: who writes under no other name is known to managedFields by its first word. */
  readonly userAgent: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** Warnings for the client, sent as `Warning: 299 - "…"` headers; bounded by who adds them. */
  readonly warnings: string[];
}
