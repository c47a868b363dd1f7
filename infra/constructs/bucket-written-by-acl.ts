import { BlockPublicAccess, BucketEncryption, ObjectOwnership, type BucketProps } from 'aws-cdk-lib/aws-s3';

/** Of a bucket that a service of AWS writes to as one of its owners, which keys of a customer do not let it. */
export const WRITTEN_BY_ACL: Readonly<BucketProps> = {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  versioned: true,
};
