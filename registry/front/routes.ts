// The paths of the OCI distribution API and who answers them: one table.

import { getBlob, headBlob } from './blobs.ts';
import type { Handler, Route } from './exchange.ts';
import { listReferrers, listTags } from './listings.ts';
import { getManifest, headManifest, putManifest } from './manifests.ts';
import { appendToUpload, beginUpload, cancelUpload, finishUpload, getUploadStatus } from './uploads.ts';

/** `GET /v2/`: what clients ask first, and all that `docker login` asks. Whoever comes here is known. */
const welcome: Handler = async () => ({ status: 200, body: {} });

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#endpoints */
export const routes: readonly Route[] = [
  { pattern: /^\/v2\/?$/, subject: 'blob', methods: { GET: welcome, HEAD: welcome } },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
    subject: 'blob',
    methods: { POST: beginUpload },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/,
    subject: 'blob',
    methods: {
      GET: getUploadStatus,
      HEAD: getUploadStatus,
      PATCH: appendToUpload,
      PUT: finishUpload,
      DELETE: cancelUpload,
    },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/,
    subject: 'blob',
    methods: { GET: getBlob, HEAD: headBlob },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/,
    subject: 'manifest',
    methods: { GET: getManifest, HEAD: headManifest, PUT: putManifest },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/tags\/list$/,
    subject: 'manifest',
    methods: { GET: listTags },
  },
  {
    pattern: /^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/,
    subject: 'manifest',
    methods: { GET: listReferrers },
  },
];
