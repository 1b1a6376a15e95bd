/** The built-in resources, in the order discovery lists them. */
import type { ResourceDefinition } from './definition.js';

export const builtinResources: readonly ResourceDefinition[] = [];
