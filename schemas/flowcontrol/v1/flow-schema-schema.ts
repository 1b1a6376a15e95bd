/** What a FlowSchema consists of. */
import type { KubeObject } from '../../definition.js';
import { bool, describe, int32, list, once, struct, text } from '../../fields.js';
import { kubeObject } from '../../meta/v1.js';
import { FLOW_CONTROL, flowStatus } from './conditions.js';

export const FLOW_SCHEMA_DESCRIPTION =
  'Says which requests belong to a priority level, and how they form flows.';

export interface Subject {
  readonly kind?: string;
  readonly user?: { readonly name?: string };
  readonly group?: { readonly name?: string };
  readonly serviceAccount?: { readonly namespace?: string; readonly name?: string };
}
export interface ResourceRule {
  readonly verbs?: readonly string[] | null;
  readonly apiGroups?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
  readonly clusterScope?: boolean;
  readonly namespaces?: readonly string[] | null;
}
export interface NonResourceRule {
  readonly verbs?: readonly string[] | null;
  readonly nonResourceURLs?: readonly string[] | null;
}
export interface Rules {
  readonly subjects?: readonly Subject[] | null;
  readonly resourceRules?: readonly ResourceRule[];
  readonly nonResourceRules?: readonly NonResourceRule[];
}
export interface FlowSchemaSpec {
  readonly priorityLevelConfiguration?: { readonly name?: string };
  matchingPrecedence?: number;
  readonly distinguisherMethod?: { readonly type?: string };
  readonly rules?: readonly Rules[];
}
export const specOf = (object: KubeObject): FlowSchemaSpec => object['spec'] ?? {};

const names = (description: string) => list(text(), { listType: 'set', printsNull: true, description });

const subject = once(() =>
  struct(
    `${FLOW_CONTROL}.Subject`,
    {
      kind: text({ default: '', goType: 'v1.SubjectKind', description: 'User, Group or ServiceAccount.' }),
      user: struct(
        `${FLOW_CONTROL}.UserSubject`,
        { name: text({ default: '', description: '* for all.' }) },
        { description: 'One user.', required: ['name'] },
      ),
      group: struct(
        `${FLOW_CONTROL}.GroupSubject`,
        { name: text({ default: '', description: '* for all.' }) },
        { description: 'The users of a group.', required: ['name'] },
      ),
      serviceAccount: struct(
        `${FLOW_CONTROL}.ServiceAccountSubject`,
        { namespace: text({ default: '' }), name: text({ default: '', description: '* for all.' }) },
        { description: 'One or all service accounts of a namespace.', required: ['namespace', 'name'] },
      ),
    },
    {
      description: 'Who asks.',
      required: ['kind'],
      unions: [
        {
          discriminator: 'kind',
          fieldsToDiscriminateBy: { group: 'Group', serviceAccount: 'ServiceAccount', user: 'User' },
        },
      ],
    },
  ),
);

const resourcePolicyRule = once(() =>
  struct(
    `${FLOW_CONTROL}.ResourcePolicyRule`,
    {
      verbs: names('What is done; * is everything.'),
      apiGroups: names('Groups of the resources; "" is the core group, * is all.'),
      resources: names('Plurals, or plural/subresource; * is all.'),
      clusterScope: bool({ omitEmpty: true, description: 'Also what is in no namespace.' }),
      namespaces: names('Namespaces that are meant; * is all.'),
    },
    { description: 'Verbs on resources.', required: ['verbs', 'apiGroups', 'resources'] },
  ),
);

const nonResourcePolicyRule = once(() =>
  struct(
    `${FLOW_CONTROL}.NonResourcePolicyRule`,
    {
      verbs: names('What is done; * is everything.'),
      nonResourceURLs: names('Paths that are no resources, /* at the end matches the rest; * is all.'),
    },
    { description: 'Verbs on paths.', required: ['verbs', 'nonResourceURLs'] },
  ),
);

const policyRulesWithSubjects = once(() =>
  struct(
    `${FLOW_CONTROL}.PolicyRulesWithSubjects`,
    {
      subjects: list(subject(), { listType: 'atomic', printsNull: true, description: 'Who asks.' }),
      resourceRules: list(resourcePolicyRule(), { listType: 'atomic' }),
      nonResourceRules: list(nonResourcePolicyRule(), { listType: 'atomic' }),
    },
    { description: 'Requests by who makes them and what they ask.', required: ['subjects'] },
  ),
);

export const flowSchemaSpec = once(() =>
  struct(
    `${FLOW_CONTROL}.FlowSchemaSpec`,
    {
      priorityLevelConfiguration: describe(
        struct(
          `${FLOW_CONTROL}.PriorityLevelConfigurationReference`,
          { name: text({ default: '' }) },
          { description: 'A priority level.', required: ['name'] },
        ),
        { default: {}, description: 'Where the requests belong.' },
      ),
      matchingPrecedence: int32({
        default: 0,
        description:
          'Of the schemas that match a request the one with the smallest number counts; 1 to 10000.',
      }),
      distinguisherMethod: struct(
        `${FLOW_CONTROL}.FlowDistinguisherMethod`,
        {
          type: text({
            default: '',
            goType: 'v1.FlowDistinguisherMethodType',
            description: 'ByUser or ByNamespace.',
          }),
        },
        { description: 'What tells the flows of a schema apart.', required: ['type'] },
      ),
      rules: list(policyRulesWithSubjects(), {
        listType: 'atomic',
        description: 'The requests that it matches; none, if there is none.',
      }),
    },
    { description: 'The requests and their level.', required: ['priorityLevelConfiguration'] },
  ),
);

export const flowSchema = once(() =>
  kubeObject(
    `${FLOW_CONTROL}.FlowSchema`,
    { spec: describe(flowSchemaSpec(), { default: {} }), status: flowStatus('FlowSchema') },
    { description: FLOW_SCHEMA_DESCRIPTION },
  ),
);
