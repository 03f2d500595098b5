// The proxy's own domain name, and the client certificates that it may ask for.

import {
  DomainName,
  EndpointType,
  type MTLSConfig,
  type RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';

export type Domain = {
  /** As in `https://name/`. */
  name: string;
  /** For that name, in the stack's region. */
  certificate: ICertificate;
  /** Lets in only clients with a certificate of an authority in the truststore, beside their token. */
  mutualTls?: MTLSConfig;
};

/** The DNS record is the operator's: an alias or CNAME of `domainNameAliasDomainName`. */
export class CustomDomain extends DomainName {
  readonly url: string;

  constructor(scope: Construct, id: string, { name, certificate, mutualTls }: Domain, api: RestApi) {
    super(scope, id, {
      domainName: name,
      certificate,
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
      ...(mutualTls && { mtls: mutualTls }),
    });
    this.addBasePathMapping(api);
    this.url = `https://${name}/`;
  }
}
