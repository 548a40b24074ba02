//! Every limit that a client can meet, once. The server enforces them; the page says them before the server has to.

/// A username, in ASCII characters.
pub const USERNAME_MIN: usize = 3;
pub const USERNAME_MAX: usize = 32;
/// Display names and room names, in code points.
pub const NAME_MAX: usize = 64;
/// A room's topic, in code points.
pub const TOPIC_MAX: usize = 250;
/// An e-mail address, in bytes (RFC 5321).
pub const EMAIL_MAX: usize = 254;
/// A password, in code points; the minimum can be raised by a setting.
pub const PASSWORD_MIN: usize = 10;
pub const PASSWORD_MAX: usize = 256;
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// The zxcvbn score (0 to 4) that a password must reach.
pub const PASSWORD_SCORE: u8 = 3;
/// A message's text.
pub const BODY_MAX: usize = 4_000;
pub const BODY_MAX_BYTES: usize = 16 * 1024;
/// A search text, in code points.
pub const QUERY_MAX: usize = 64;
/// One reaction, in bytes.
pub const EMOJI_MAX_BYTES: usize = 64;
/// Different reactions on one message.
pub const REACTIONS_PER_MESSAGE: usize = 50;
/// Pinned messages of one room.
pub const PINS_PER_ROOM: usize = 100;
/// Images on one message.
pub const ATTACHMENTS_MAX: usize = 10;

/// An image as it is sent, and one for a person's picture, in bytes.
pub const IMAGE_MAX_BYTES: usize = 5 * 1024 * 1024;
pub const AVATAR_MAX_BYTES: usize = 2 * 1024 * 1024;
/// An image as it is sent: each side, and all of it, in pixels.
pub const IMAGE_SIDE_MAX: u32 = 8_192;
pub const IMAGE_PIXELS_MAX: u64 = 40_000_000;
/// Frames of an animation, and the pixels of all of them.
pub const FRAMES_MAX: usize = 100;
/// An image as it is kept: its longer side, that of its preview, and the side of a person's picture, in pixels.
pub const KEPT_SIDE_MAX: u32 = 4_096;
pub const PREVIEW_SIDE_MAX: u32 = 720;
pub const AVATAR_SIDE: u32 = 256;
/// What one person's images may take, in bytes.
pub const IMAGES_PER_USER_BYTES: u64 = 200 * 1024 * 1024;
/// People whom one message mentions, by their names; further names are text.
pub const MENTIONS_MAX: usize = 50;
/// In a room of more members, only its administrators call everybody.
pub const CALLED_BY_ALL_MAX: u32 = 50;

/// A page of messages or of a list: what is asked for without a number, and the most.
pub const PAGE_DEFAULT: u32 = 30;
pub const PAGE_MAX: u32 = 100;
/// Stretches of time in one answer with figures.
pub const FIGURES_MAX: i64 = 1_500;
/// A page of raw log entries.
pub const ENTRIES_MAX: u32 = 500;
/// How many entries a resuming connection is sent for a room; behind by more, it is told to load the room afresh.
pub const RESUME_MAX: u64 = 500;
/// Rooms whose cursors a `hello` may carry.
pub const CURSORS_MAX: usize = 1_000;
/// Rooms that one person may be in.
pub const ROOMS_PER_USER: usize = 1_000;
/// Members of one room.
pub const MEMBERS_PER_ROOM: usize = 10_000;
/// Integrations of one room that are not revoked.
pub const INTEGRATIONS_PER_ROOM: usize = 20;
/// An `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;
/// Unread messages are counted up to here.
pub const UNREAD_MAX: u32 = 999;

/// An inbound WebSocket message and a JSON body, in bytes.
pub const FRAME_MAX_BYTES: usize = 64 * 1024;
pub const JSON_MAX_BYTES: usize = 64 * 1024;
/// Open connections of one person, from one address, and not yet signed in altogether.
pub const CONNECTIONS_PER_USER: usize = 10;
pub const CONNECTIONS_PER_IP: usize = 100;
pub const CONNECTIONS_UNSIGNED: usize = 500;

/// How often the server pings, sends `heads`, and writes an SSE comment, in milliseconds.
pub const PING_MS: u64 = 25_000;
pub const HEADS_MS: u64 = 10_000;
pub const SSE_COMMENT_MS: u64 = 15_000;
/// A peer that is silent for so long is gone.
pub const SILENT_MS: u64 = 60_000;
/// The first frame must be `hello` within this time.
pub const HELLO_MS: u64 = 5_000;
/// A typing notice holds for so long, and is sent at most once in [`TYPING_EVERY_MS`].
pub const TYPING_HOLDS_MS: u64 = 5_000;
pub const TYPING_EVERY_MS: u64 = 1_000;
