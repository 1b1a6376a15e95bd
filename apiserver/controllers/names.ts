/** The controllers that `--controllers` can name. Apart from their code, which --help does not wait for. */
export const controllerNames: readonly string[] = ['namespace-controller', 'serviceaccount-controller'];
