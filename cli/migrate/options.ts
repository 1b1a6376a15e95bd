export interface MigrateOptions {
  readonly from: readonly string[];
  readonly fromCacert?: string;
  readonly fromCert?: string;
  readonly fromKey?: string;
  readonly fromUser?: string;
  readonly fromPassword?: string;
  readonly to: readonly string[];
  readonly toCacert?: string;
  readonly toCert?: string;
  readonly toKey?: string;
  readonly toUser?: string;
  readonly toPassword?: string;
  readonly prefix: string;
  /** Operations of one transaction. */
  readonly batch: number;
  readonly overwrite: boolean;
  readonly follow: boolean;
}
