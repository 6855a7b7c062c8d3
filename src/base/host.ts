/** Which hosts are this machine itself or its hypervisor, as WHATWG URLs spell them (`URL.hostname`). */

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

/**
 * 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291 2.5.6), where clouds put their metadata servers, and fd00:ec2::/32,
 * where EC2 has its own over IPv6
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html), and Google's fd20:ce::254
 * (https://cloud.google.com/compute/docs/metadata/querying-metadata). No router passes them on.
 */
export function isLinkLocalHost(hostname: string): boolean {
  return (
    /^169\.254\.\d{1,3}\.\d{1,3}$/.test(hostname) || /^\[fe[89ab][0-9a-f]:|^\[fd00:ec2:|^\[fd20:ce::/.test(hostname)
  );
}

/** This machine itself or its hypervisor. */
export function isLocalHost(hostname: string): boolean {
  return isLoopbackHost(hostname) || isLinkLocalHost(hostname);
}

/** IPv4 addresses that no router of the Internet knows (RFC 1918). */
export function isPrivateHost(hostname: string): boolean {
  return /^(10\.\d{1,3}|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
