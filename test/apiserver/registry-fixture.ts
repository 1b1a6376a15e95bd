/** What tests of the registry share: a store in memory, small resources, request contexts and selectors. */
import type { KubeObject, ResourceDefinition, Strategy } from '../../schemas/definition.js';
import { struct, text, int32, list, map, once } from '../../schemas/fields.js';
import { invalid, type FieldError } from '../../schemas/field-error.js';
import { kubeObject } from '../../schemas/meta/v1.js';
import { nameIs } from '../../schemas/validation/names.js';
import { createRegistries, type Registries, type RegistriesOptions } from '../../apiserver/registry/index.js';
import type {
  ListOptions,
  Registry,
  Selector,
  WatchEvent,
  Watcher,
  WatchOptions,
} from '../../apiserver/registry/types.js';
import { localAdministrator, type RequestContext } from '../../apiserver/request.js';
import { FakeEtcd } from './registry-fake-etcd.js';

export const everything: Selector = { empty: true, matches: () => true, toString: () => '' };

export const labelIs = (key: string, value: string): Selector => ({
  empty: false,
  matches: ({ metadata }) => metadata.labels?.[key] === value,
  toString: () => `${key}=${value}`,
});

export const nameIsExactly = (name: string): Selector => ({
  empty: false,
  exactName: name,
  matches: ({ metadata }) => metadata.name === name,
  toString: () => `metadata.name=${name}`,
});

export function contextOf(info: Partial<RequestContext['info']> = {}): RequestContext {
  return {
    info: {
      isResourceRequest: true,
      path: '',
      verb: '',
      group: '',
      version: 'v1',
      namespace: '',
      resource: '',
      subresource: '',
      name: '',
      ...info,
    },
    query: new URLSearchParams(),
    user: localAdministrator,
    signal: new AbortController().signal,
    userAgent: 'tester',
    warnings: [],
  };
}

/** Of a request in namespace `demo`. */
export const demo = contextOf({ namespace: 'demo' });

export const all: ListOptions = { limit: 0, labels: everything, fields: everything };
export const watchAll: WatchOptions = { allowBookmarks: false, labels: everything, fields: everything };

interface Spec {
  size?: number;
}

const widgetStrategy: Strategy = {
  defaults(widget) {
    const spec = (widget['spec'] ??= {}) as Spec;
    spec.size ??= 1;
  },
  prepareForCreate(widget) {
    delete widget['status'];
  },
  prepareForUpdate(widget, old) {
    if (old['status'] === undefined) delete widget['status'];
    else widget['status'] = old['status'];
  },
  validate(widget): FieldError[] {
    const { size = 0 } = (widget['spec'] ?? {}) as Spec;
    return size < 0 ? [invalid('spec.size', size, 'must be greater than or equal to 0')] : [];
  },
};

const widgetStatusStrategy: Strategy = {
  prepareForUpdate(widget, old) {
    widget['spec'] = old['spec'];
  },
};

/** A resource with all that a definition can have. */
export const widgets: ResourceDefinition = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  listKind: 'WidgetList',
  plural: 'widgets',
  singular: 'widget',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  etcdPrefix: 'example.com/widgets',
  description: 'For tests.',
  schema: once(() =>
    kubeObject(
      'com.example.v1.Widget',
      {
        spec: struct('com.example.v1.WidgetSpec', { size: int32(), tags: list(text()), notes: map(text()) }),
        status: struct('com.example.v1.WidgetStatus', { size: int32() }),
      },
      { description: 'For tests.' },
    ),
  ),
  strategy: widgetStrategy,
  subresources: [
    { name: 'status', verbs: ['get', 'patch', 'update'], strategy: widgetStatusStrategy },
    {
      name: 'scale',
      verbs: ['get', 'patch', 'update'],
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      scale: { specReplicas: 'spec.size', statusReplicas: 'status.size', selector: () => 'app=widget' },
    },
    { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
  ],
  columns: [],
  selectableFields: {},
  validateName: nameIs.dns1123Subdomain,
  generation: true,
  allowUnconditionalUpdate: true,
  allowCreateOnUpdate: false,
};

export const widget = (name: string, more: Partial<KubeObject> = {}): KubeObject => {
  const { metadata, ...rest } = more;
  return { kind: 'Widget', apiVersion: 'example.com/v1', ...rest, metadata: { name, ...metadata } };
};

export interface Fixture {
  readonly etcd: FakeEtcd;
  readonly registries: Registries;
  readonly widgets: Registry;
  readonly errors: unknown[];
}

export const startOfTime = Date.parse('2026-01-02T03:04:05.678Z');

export function openFixture(
  options: Partial<RegistriesOptions> = {},
  definition: ResourceDefinition = widgets,
): Fixture {
  const etcd = new FakeEtcd();
  const errors: unknown[] = [];
  const registries = createRegistries({
    client: etcd,
    definitions: [definition],
    admission: [],
    now: () => startOfTime,
    onError: (error, what) => errors.push(`${what}: ${String(error)}`),
    ...options,
  });
  const registry = registries.table.find(definition.group, definition.version, definition.plural);
  if (registry === undefined) throw new Error('the resource is not served');
  return { etcd, registries, widgets: registry, errors };
}

/** `TYPE name@revision`, or `BOOKMARK@revision` with `!` at the end of the initial state. */
export const say = (event: WatchEvent): string =>
  event.type === 'BOOKMARK'
    ? `BOOKMARK@${event.item.revision}${event.initialEventsEnd === true ? '!' : ''}`
    : `${event.type} ${event.item.name}@${event.item.revision}`;

/** Reads as a stream does: whenever something is ready, until nothing is. */
export class Reader {
  readonly events: WatchEvent[] = [];
  failure: unknown;
  private waiting: (() => void) | undefined;

  constructor(
    readonly watcher: Watcher,
    private readonly max = 100,
  ) {
    watcher.onReady = () => this.drain();
  }

  drain(): void {
    try {
      for (let got = this.watcher.read(this.max); got.length > 0; got = this.watcher.read(this.max)) {
        this.events.push(...got);
      }
    } catch (error) {
      this.failure = error;
    }
    this.waiting?.();
  }

  get said(): string[] {
    return this.events.map(say);
  }

  /** Resolves when `done` holds. */
  async until(done: (reader: this) => boolean): Promise<void> {
    // What is waited for may hang on timers that do not keep the process alive.
    const alive = setInterval(() => undefined, 1000);
    while (!done(this)) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
    clearInterval(alive);
  }
}
