/** Claims of a token that nobody asks for, as the command line gives them. */
export interface TokenFlags {
  readonly subject: string;
  readonly audience: string | undefined;
  readonly authorizedParty: string | undefined;
  readonly issuer: string | undefined;
}
