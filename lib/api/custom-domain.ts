// The proxy's own domain name, and the client certificates that it may ask for.

import {
  CfnDomainName,
  DomainName,
  EndpointType,
  type MTLSConfig,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { Construct } from 'constructs';
import type { UploadApi } from './upload-api.ts';

export type Domain = {
  /** As in `https://name/`. */
  name: string;
  /** For that name, in the stack's region. */
  certificate: ICertificate;
  /** Clients then need a certificate of an authority in the truststore, in addition to their token. */
  mutualTls?: MTLSConfig;
  /**
   * A certificate of ACM's own for the same name, which proves whose it is: with mutual TLS, where `certificate`
   * is imported or of a private authority.
   */
  ownershipVerificationCertificate?: ICertificate;
};

/** The DNS record is the operator's: an alias or CNAME of `domainNameAliasDomainName`. */
export class CustomDomain extends DomainName {
  readonly url: string;

  constructor(scope: Construct, id: string, domain: Domain, api: UploadApi) {
    const { name, certificate, mutualTls, ownershipVerificationCertificate } = domain;
    super(scope, id, {
      domainName: name,
      certificate,
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
      ...(mutualTls && { mtls: mutualTls }),
    });
    const definition = this.node.defaultChild;
    if (!(definition instanceof CfnDomainName)) {
      throw new Error('the domain has no definition');
    }
    if (ownershipVerificationCertificate) {
      definition.ownershipVerificationCertificateArn = ownershipVerificationCertificate.certificateArn;
    }
    definition.addPropertyOverride('EndpointConfiguration.IpAddressType', api.ipAddressType);
    this.addBasePathMapping(api);
    this.url = `https://${name}/`;
  }
}
