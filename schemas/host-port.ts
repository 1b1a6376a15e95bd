/** An address and a port as one writes them: `10.0.0.1:80`, `[fd00::1]:80`. */
export const joinHostPort = (host: string, port: number): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
