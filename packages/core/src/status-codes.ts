/** What a status means for the message: on its way, on the phone, seen, or lost. */
export type StatusClass = 'pending' | 'delivered' | 'read' | 'failed' | 'unknown';

export const STATUS_CLASSES = ['pending', 'delivered', 'read', 'failed', 'unknown'] as const;

/** A classified message status of Clickatell's One API. */
export interface MessageStatus {
  /** As received, else the table's code for the name; null when neither is known. */
  readonly code: number | null;
  /** As received but trimmed, else the table's name for the code; null when neither is known. */
  readonly name: string | null;
  readonly class: StatusClass;
  /**
   * No other status follows. We infer this: the documentation does not say. DEVICE_ACK is not final, because READ may
   * follow on WhatsApp; where there are no read receipts (SMS), `class: 'delivered'` is the end.
   */
  readonly final: boolean;
}

interface KnownStatus extends MessageStatus {
  readonly name: string;
}

const status = (code: number | null, name: string, statusClass: StatusClass, final: boolean): KnownStatus => ({
  code,
  name,
  class: statusClass,
  final,
});
const failed = (code: number | null, name: string): KnownStatus => status(code, name, 'failed', true);

/** Every public status of the One API, with its number where a public table gives one; we guess no numbers. */
export const STATUSES: readonly KnownStatus[] = [
  // docs.clickatell.com, "One API message status table"
  status(1, 'UNKNOWN', 'unknown', false),
  status(2, 'QUEUED', 'pending', false),
  status(3, 'SCHEDULED', 'pending', false),
  status(4, 'SENT_TO_SUPPLIER', 'pending', false),
  status(5, 'DEVICE_ACK', 'delivered', false),
  status(6, 'READ', 'read', true),
  failed(20, 'EXPIRED'),
  failed(21, 'STOPPED_BY_USER'),
  failed(22, 'STOPPED_BY_ADMIN'),
  failed(23, 'DELIVERY_FAILURE'),
  // The sandbox only pretends to deliver: an end, but not a failure.
  status(24, 'EMULATED', 'delivered', true),
  failed(25, 'INSUFFICIENT_ACCOUNT_BALANCE'),
  failed(26, 'VOLUME_LIMIT'),
  failed(27, 'VOLUME_LIMIT_DAILY'),
  failed(28, 'VOLUME_LIMIT_MONTHLY'),
  failed(29, 'RECIPIENT_DOES_NOT_EXIST'),
  failed(60, 'ENCRYPTION_ACCESS_DENIED'),
  failed(61, 'ENCRYPTION_CONTENT_ERROR'),
  failed(80, 'MEDIA_NOT_FOUND'),
  failed(81, 'MEDIA_SIZE_ERROR'),
  failed(82, 'MEDIA_CHECKSUM_FAILURE'),
  failed(83, 'MEDIA_REJECTED_BY_SUPPLIER'),
  failed(84, 'MEDIA_METADATA_ERROR'),
  failed(85, 'MEDIA_ACCESS_ERROR'),
  failed(100, 'ROUTING_ERROR'),
  failed(130, 'WHATSAPP_ACCOUNT_PAYMENT_ISSUE'),
  failed(131, 'WHATSAPP_RE_ENGAGEMENT_REQUIRED'),
  failed(132, 'WHATSAPP_SPAM_RATE_LIMIT_REACHED'),
  failed(133, 'WHATSAPP_SERVER_RATE_LIMIT'),
  failed(139, 'WHATSAPP_EXPERIMENTAL_NUMBER'),
  failed(140, 'WHATSAPP_TEMPLATE_TEXT_TOO_LONG'),
  failed(141, 'WHATSAPP_TEMPLATE_FORMAT_MISMATCH'),
  // www.clickatell.com, "One API message status codes" (2019)
  failed(134, 'WHATSAPP_HSM_NOT_AVAILABLE'),
  // help.clickatell.com, "One API": names without a public number
  failed(null, 'STOP_MARKETING_MESSAGES'),
  failed(null, 'EXCESSIVE_MESSAGES_TO_RECIPIENT'),
  failed(null, 'ENCRYPTION_VALIDATION_ERROR'),
  failed(null, 'ANONYMOUS_USER_ID_INVALID'),
  failed(null, 'ANONYMOUS_USER_ID_ERROR'),
  failed(null, 'MEDIA_TYPE_NOT_SUPPORTED'),
  // farrel/clickatell-rust-tools and zerratar/clickatell-oneapi-csharp: names without a public number
  failed(null, 'WHATSAPP_HSM_PARAM_COUNT_MISMATCH'),
  failed(null, 'WHATSAPP_HSM_IS_MISSING'),
  failed(null, 'WHATSAPP_HSM_DOWNLOAD_FAILED'),
  failed(null, 'WHATSAPP_HSM_PACK_IS_MISSING'),
  failed(null, 'WHATSAPP_TEMPLATE_FORMATTING_POLICY_VIOLATED'),
  failed(null, 'WHATSAPP_TEMPLATE_MEDIA_FORMAT_UNSUPPORTED'),
  failed(null, 'WHATSAPP_PARAMETER_MISSING'),
  failed(null, 'WHATSAPP_PARAMETER_INVALID'),
  failed(null, 'WHATSAPP_PARAMETER_NOT_REQUIRED'),
  failed(null, 'WHATSAPP_TEMPLATE_INVALID_URL'),
  failed(null, 'WHATSAPP_TEMPLATE_INVALID_PHONE_NUMBER'),
  failed(null, 'WHATSAPP_TEMPLATE_RECEIVER_NO_BUTTON_SUPPORT'),
];

const BY_NAME = new Map(STATUSES.map((known) => [known.name, known]));
const BY_CODE = new Map(STATUSES.filter((known) => known.code !== null).map((known) => [known.code, known]));

/** Codes from here on are failures, even those missing from the table. */
const FIRST_FAILURE = 20;

/** A business sends this to mark a message as read; it is never the status of one. Source: guides.clickatell.com. */
const BUSINESS_READ = 1001;

/**
 * Classifies a status of the One API by name, then by code, then by range. Never pass codes of Clickatell's older APIs:
 * they have other meanings.
 */
export const classifyStatus = (received: { code?: number | null; name?: string | null }): MessageStatus => {
  const code = received.code ?? null;
  const name = received.name?.trim() || null;
  const known = (name && BY_NAME.get(name.toUpperCase())) || BY_CODE.get(code);
  if (known) return { code: code ?? known.code, name: name ?? known.name, class: known.class, final: known.final };
  const isFailure = code !== null && code >= FIRST_FAILURE && code !== BUSINESS_READ;
  return { code, name, class: isFailure ? 'failed' : 'unknown', final: isFailure };
};
