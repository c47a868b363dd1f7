import { readImage } from './image.ts';

/** Every image that a deployment takes. */
export const IMAGES = {
  sidecar: readImage('sidecar', 'sidecar/envoy/Dockerfile'),
  tokenizer: readImage('tokenizer', 'sidecar/app.Dockerfile', { APP: 'tokenizer' }),
  order: readImage('order', 'sidecar/app.Dockerfile', { APP: 'order' }),
  paybill: readImage('paybill', 'sidecar/app.Dockerfile', { APP: 'paybill' }),
  outsider: readImage('outsider', 'sidecar/app.Dockerfile', { APP: 'outsider' }),
};
