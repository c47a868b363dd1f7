/**
 * The words in which a mesh is defined: App Mesh's, as plain data.
 *
 * A definition does not know where it is deployed. Two targets render it:
 * Envoy alone (`mesh/envoy/`) and App Mesh resources.
 *
 * @module
 */

/** A certificate hierarchy: those who connect prove themselves under one, those who listen under the other. */
export type Hierarchy = 'clients' | 'servers';

/** The side of a connection a certificate is for. The client role's certificates are issued by `clients`. */
export type CertificateRole = 'client' | 'server';

/** How an edge is protected: not at all, the server proves itself, or both prove themselves. */
export type EdgeMode = 'none' | 'one-way' | 'mtls';

export interface CertificateAuthorityHierarchy {
  /** The subject of the root, which every peer of the other side trusts. */
  readonly rootCommonName: string;
  /** The subject of the subordinate that issues the leaves. */
  readonly subordinateCommonName: string;
  readonly rootValidityDays: number;
  readonly subordinateValidityDays: number;
}

/** What a listener does with TLS; App Mesh's `ListenerTls`. */
export interface ListenerTls {
  /** `STRICT` takes TLS only, `PERMISSIVE` takes plaintext too, `DISABLED` takes plaintext only. */
  readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLED';
  /** Where set, a client must present a certificate of this hierarchy that names a node of the mesh. */
  readonly clientValidation?: { readonly trust: Hierarchy };
}

/**
 * Who may call an operation: nodes by name, any identity of the mesh, or anyone
 * who gets as far as HTTP (only sensible where the outside world comes in).
 */
export type Callers = readonly string[] | 'mesh' | 'anyone';

/** One thing a listener offers. What is not listed here is denied. */
export interface Operation {
  /** Names the route in logs and metrics, so that no path has to be logged. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path template: `{name}` stands for one segment. */
  readonly path: string;
  readonly callers: Callers;
}

export interface Listener {
  readonly port: number;
  readonly protocol: 'http' | 'http2';
  readonly tls: ListenerTls;
  /** A larger body is answered 413. */
  readonly maxRequestBytes: number;
  readonly operations: readonly Operation[];
}

/** What a caller demands of a backend; App Mesh's `ClientPolicyTls`. */
export interface ClientPolicy {
  readonly tls: EdgeMode;
}

export interface Backend {
  /** The virtual service that is called, by name. */
  readonly virtualService: string;
  readonly clientPolicy: ClientPolicy;
}

/** What the policy of the tokenizer grants to a node; everything else is denied. */
export interface VaultAccess {
  /** The tenants whose tokens the node may touch; the first is the default. */
  readonly tenants: readonly string[];
  /** The purpose of a reveal that states none; without it such a reveal is masked. */
  readonly defaultPurpose?: string;
  readonly grants: readonly VaultGrant[];
  /**
   * How many items the node may send, by operation. It holds for each task of the tokenizer by itself: as
   * many tasks together let through as many times that.
   *
   * @default generous; see DEFAULT_RATE of the tokenizer
   */
  readonly limits?: Readonly<Partial<Record<VaultOperation, VaultRate>>>;
}

/** A token bucket. Every record of a batch is an item. */
export interface VaultRate {
  /** Items a second, in the long run. */
  readonly perSecond: number;
  /** Items at once, after a pause. */
  readonly burst: number;
}

export type VaultOperation =
  | 'tokenize'
  | 'detokenize'
  | 'read-metadata'
  | 'delete'
  /** To archive and to restore. */
  | 'archive'
  /** To find the tokens of a value. */
  | 'search'
  /** To learn whether a value has a token, and not which. */
  | 'check-value'
  /** To learn whether a token is there, and nothing of it. */
  | 'check-token';

export interface VaultGrant {
  readonly operation: VaultOperation;
  /** Field classes; `*` for those that may be of any class. */
  readonly classes: readonly string[] | '*';
  /** For `detokenize`: the purposes for which the value is plain. For any other purpose it is masked. */
  readonly plainFor?: readonly string[];
  /** For `tokenize`: token formats of fewer than a million possibilities too. */
  readonly smallFormats?: true;
}

/** Where a node's certificates come from: see `certificate-source.ts`. */
export type CertificateSourceChoice =
  | { readonly kind: 'acm-export' }
  | {
      readonly kind: 'short-lived';
      /** From issue to expiry: 24 hours to 7 days. Renewed at two thirds of it. */
      readonly lifeSeconds: number;
      /** Tasks of this node that may run at once. A cold start of them all stays under the CA's quota. */
      readonly tasksAtMost: number;
    };

/**
 * How a sidecar hands certificates, keys and trust to its Envoy: `sds` from its memory over a Unix socket,
 * so that no key is ever in a file, or `file` for an Envoy that takes files alone, as App Mesh's does.
 */
export type SecretDelivery = 'sds' | 'file';

export interface VirtualNode {
  readonly listener: Listener;
  /** @default the mesh's */
  readonly secretDelivery?: SecretDelivery;
  readonly backends: readonly Backend[];
  readonly vaultAccess?: VaultAccess;
  /** @default acm-export */
  readonly certificateSource?: CertificateSourceChoice;
}

/**
 * A caller with no Envoy beside it, such as a Lambda function: it opens its connections itself, under a
 * client certificate of its own, and nobody calls it.
 */
export interface MeshFunction {
  /** The virtual services that it calls, by name. All of them over mutual TLS: it has no other way to be known. */
  readonly backends: readonly string[];
  readonly vaultAccess?: VaultAccess;
}

/** A route of the gateway: an operation, and the virtual service that serves it. */
export interface GatewayOperation extends Operation {
  readonly virtualService: string;
  /** The scope that a caller's token must have, without the resource server's identifier. */
  readonly scope?: string;
}

/**
 * Callers show an access token of the mesh's Cognito user pool: signed with a key of the pool, not expired,
 * for a client that may call, with the scope of the operation. Which pool and clients these are is the
 * placement's to say.
 */
export interface GatewayAuthentication {
  /** The identifier of the resource server: a token has the scope `<resourceServer>/<scope>`. */
  readonly resourceServer: string;
  /** The keys of the pool are fetched again after this long; those held count on while that fails. */
  readonly keySeconds: number;
}

/** A token bucket of requests. It holds for each task of the gateway by itself. */
export interface RequestRate {
  /** Requests a second, in the long run: whole. */
  readonly perSecond: number;
  /** Requests at once, after a pause. */
  readonly burst: number;
}

/** Which pages of other origins may call from a browser (the Fetch standard, "CORS protocol"). */
export interface CrossOrigin {
  /** Origins in full, such as `https://shop.example`: no patterns. */
  readonly origins: readonly string[];
  /** How long a browser may hold the answer to its question. */
  readonly maxAgeSeconds: number;
}

/** Where the outside world comes in: an Envoy with no app beside it. */
export interface VirtualGateway {
  /** @default the mesh's */
  readonly secretDelivery?: SecretDelivery;
  readonly listener: Omit<Listener, 'operations'> & { readonly operations: readonly GatewayOperation[] };
  readonly backends: readonly Backend[];
  /** @default none: whoever gets as far as HTTP may call */
  readonly authentication?: GatewayAuthentication;
  /** `all` callers together, counted before anything else is looked at; `caller`: each subject of a token. */
  readonly rates?: { readonly all: RequestRate; readonly caller?: RequestRate };
  /** @default no page of another origin may call */
  readonly crossOrigin?: CrossOrigin;
}

/** A name that nodes call, and the node that answers to it. */
export interface VirtualService {
  readonly provider: string;
}

/** Somebody else's service: not of the mesh, reached over one-way TLS under a name and trust of its own. */
export interface ExternalService {
  readonly hostname: string;
}

/** What is done where a CA's revocation list (CRL) cannot be had in time. */
export interface RevocationPolicy {
  /**
   * Once a list that is held is past its nextUpdate: `keep` lets handshakes go on without the lists of
   * that hierarchy, with an alarm, and keeps refusing callers by the serials that the last list had;
   * `refuse` leaves the list with Envoy, which then refuses every peer of the CA.
   */
  readonly afterNextUpdate: 'keep' | 'refuse';
  /** The alarm is raised this long before the nextUpdate of a list that has not been replaced. */
  readonly alarmBeforeNextUpdateHours: number;
}

/** Something wrong with a definition: where, what, and what to do. */
export interface MeshProblem {
  readonly path: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Mesh {
  readonly name: string;
  readonly hierarchies: Readonly<Record<Hierarchy, CertificateAuthorityHierarchy>>;
  readonly virtualGateways: Readonly<Record<string, VirtualGateway>>;
  readonly virtualNodes: Readonly<Record<string, VirtualNode>>;
  readonly functions: Readonly<Record<string, MeshFunction>>;
  readonly virtualServices: Readonly<Record<string, VirtualService>>;
  readonly externalServices: Readonly<Record<string, ExternalService>>;
  readonly revocation: RevocationPolicy;
  /** @default 'sds' */
  readonly secretDelivery?: SecretDelivery;
  /** Connections end after this long, so that none outlives a rotation or a revocation by more. */
  readonly maxConnectionDurationSeconds: number;
  readonly requestTimeoutSeconds: number;
  /** What of the entries nothing could be made of. @default nothing */
  readonly unresolved?: readonly MeshProblem[];
}
