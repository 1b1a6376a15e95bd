/** How much there may be of each thing: upstream's constants. Counts, and lengths in bytes. */
export const DEVICE_REQUESTS_MAX = 32;
export const DEVICE_CONSTRAINTS_MAX = 32;
/** Of a claim or a class; a result holds those of both. */
export const DEVICE_CONFIG_MAX = 32;
export const DEVICE_SELECTORS_MAX = 32;
export const FIRST_AVAILABLE_MAX = 8;
export const CEL_EXPRESSION_BYTES_MAX = 10 * 1024;
export const OPAQUE_PARAMETERS_BYTES_MAX = 10 * 1024;

export const RESERVED_FOR_MAX = 256;
export const ALLOCATION_RESULTS_MAX = 32;
export const BINDING_CONDITIONS_MAX = 4;
export const DEVICE_STATUS_CONDITIONS_MAX = 8;
export const DEVICE_STATUS_DATA_BYTES_MAX = 10 * 1024;
export const NETWORK_IPS_MAX = 16;
export const INTERFACE_NAME_BYTES_MAX = 256;
export const HARDWARE_ADDRESS_BYTES_MAX = 128;

export const POOL_NAME_BYTES_MAX = 253;
export const DRIVER_NAME_BYTES_MAX = 63;
export const SLICE_DEVICES_MAX = 128;
/** Where a device has taints or consumes counters. */
export const SLICE_DEVICES_WITH_MORE_MAX = 64;
/** Attributes and capacities of a device together. */
export const ATTRIBUTES_AND_CAPACITIES_MAX = 32;
/** The part of an attribute's name before the slash, and the part after it. */
export const ATTRIBUTE_DOMAIN_BYTES_MAX = 63;
export const ATTRIBUTE_ID_BYTES_MAX = 32;
export const ATTRIBUTE_VALUE_BYTES_MAX = 64;
export const DEVICE_TAINTS_MAX = 16;
export const COUNTER_SETS_MAX = 8;
export const COUNTERS_MAX = 32;
export const COUNTER_CONSUMPTIONS_MAX = 2;
export const CAPACITY_VALID_VALUES_MAX = 10;
