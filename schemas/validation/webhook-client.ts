/** How the server reaches a webhook: by a URL or by a service. Alike for admission and for conversion. */
import { type FieldError, invalid, required } from '../field-error.js';
import { bytes, int32, once, struct, text } from '../fields.js';
import { parseGoUrl } from './go-url.js';
import { dns1123Subdomain, portNumber } from './names.js';

const FORM = '; desired format: https://host[/path]';
const HTTPS_PORT = 443;

export interface ServiceReference {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
}
export interface WebhookClientConfig {
  url?: string;
  service?: ServiceReference;
  /** Base64. */
  caBundle?: string;
}

/** The struct in the group of `prefix`, an OpenAPI package such as `io.k8s.api.admissionregistration.v1`. */
export function webhookClientConfig(prefix: string) {
  return once(() =>
    struct(
      `${prefix}.WebhookClientConfig`,
      {
        url: text({ description: 'Where it listens, `https://host[/path]`, if it is no service.' }),
        service: struct(
          `${prefix}.ServiceReference`,
          {
            namespace: text({ default: '' }),
            name: text({ default: '' }),
            path: text({ description: 'What requests ask for.' }),
            port: int32({ description: '443 if absent.' }),
          },
          { description: 'A service in the cluster.', required: ['namespace', 'name'] },
        ),
        caBundle: bytes({
          description: 'PEM certificates that sign its own; those of the system if absent.',
        }),
      },
      { description: 'How a webhook is reached: by exactly one of url and service.' },
    ),
  );
}

export function defaultWebhookService(service: ServiceReference | undefined): void {
  if (service) service.port ??= HTTPS_PORT;
}

export function validateWebhookClient(config: WebhookClientConfig, field: string): FieldError[] {
  const { url, service } = config;
  if ((url === undefined) === (service === undefined)) {
    return [required(field, 'exactly one of url or service is required')];
  }
  if (url !== undefined) return validateUrl(url, `${field}.url`);
  return service === undefined ? [] : validateService(service, `${field}.service`);
}

function validateUrl(text: string, field: string): FieldError[] {
  const url = parseGoUrl(text);
  if (typeof url === 'string') return [required(field, `url must be a valid URL: ${url}${FORM}`)];
  const errors: FieldError[] = [];
  if (url.scheme !== 'https') {
    errors.push(invalid(field, url.scheme, `'https' is the only allowed URL scheme${FORM}`));
  }
  if (url.host === '') errors.push(invalid(field, '', `host must be provided${FORM}`));
  if (url.user !== undefined) {
    errors.push(invalid(field, url.user, 'user information is not permitted in the URL'));
  }
  if (url.fragment !== '') {
    errors.push(invalid(field, url.fragment, 'fragments are not permitted in the URL'));
  }
  if (url.query !== '') {
    errors.push(invalid(field, url.query, 'query parameters are not permitted in the URL'));
  }
  return errors;
}

/** Upstream gives its function namespace and name in the wrong order, so each is reported as the other. */
function validateService(service: ServiceReference, field: string): FieldError[] {
  const { namespace = '', name = '', path, port = 0 } = service;
  const errors: FieldError[] = [];
  if (namespace === '') errors.push(required(`${field}.name`, 'service name is required'));
  if (name === '') errors.push(required(`${field}.namespace`, 'service namespace is required'));
  const problems = portNumber(port);
  if (problems.length > 0) {
    errors.push(invalid(`${field}.port`, port, `port is not valid: ${problems.join(', ')}`));
  }
  if (path !== undefined) errors.push(...validatePath(path, `${field}.path`));
  return errors;
}

function validatePath(path: string, field: string): FieldError[] {
  if (path === '' || path === '/') return [];
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')];
  const errors: FieldError[] = [];
  if (!path.startsWith('/')) errors.push(invalid(field, path, "must start with a '/'"));
  const segments = path.slice(1).replace(/\/$/, '').split('/');
  for (const [i, segment] of segments.entries()) {
    if (segment === '') errors.push(invalid(field, path, `segment[${i}] may not be empty`));
    else {
      for (const problem of dns1123Subdomain(segment)) {
        errors.push(invalid(field, path, `segment[${i}]: ${problem}`));
      }
    }
  }
  return errors;
}
