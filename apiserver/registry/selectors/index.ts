/** Label and field selectors: parsed once for a request, matched against every object or event it may see. */
export { everything, parseLabelSelector } from './labels.js';
export { fieldSelectorOf, type FieldSelectorText, parseFieldSelector, readFieldSelector } from './fields.js';
