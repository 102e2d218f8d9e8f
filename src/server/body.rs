//! A request's body, collected within a size, a deadline and a budget shared by all requests.
//!
//! What was read before a limit struck is returned with the reason: the uid stands at the front of an AdmissionReview,
//! so that even a body that is far too large gets its own answer. The rest of such a body is left to the connection,
//! which answers first, says `Connection: close` and then swallows what still arrives (see `stream`), so that a client
//! that is still sending reads the answer instead of a reset.

use std::{
    fmt,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep_until};

/// The largest body that is taken, unless a caller says otherwise: 20 MiB.
///
/// The API server takes objects of 3 MiB, escapes `<`, `>` and `&` as six bytes each, and sends object and oldObject
/// together: a smaller limit would refuse what it accepts.
pub const MAX_BODY_BYTES: usize = 20 << 20;

/// The most that is set aside at a client's word (`Content-Length`) before any of it has arrived.
const MAX_FIRST_CAPACITY: usize = 256 << 10;

/// How much is read of a body that declares itself too large: enough for the uid.
const PREFIX_BYTES: usize = 64 << 10;

/// The bytes that all bodies in flight may hold together.
#[derive(Debug)]
pub struct Budget {
    total: usize,
    taken: AtomicUsize,
}

impl Budget {
    /// A budget of `total` bytes, none taken.
    pub const fn new(total: usize) -> Self {
        Self { total, taken: AtomicUsize::new(0) }
    }

    /// The bytes that are taken now.
    pub fn taken(&self) -> usize {
        self.taken.load(Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        self.taken
            .try_update(Relaxed, Relaxed, |taken| taken.checked_add(bytes).filter(|&sum| sum <= self.total))
            .is_ok()
    }
}

/// A share of a [`Budget`], given back on drop.
#[derive(Debug)]
struct Share<'b> {
    budget: &'b Budget,
    bytes: usize,
}

impl Share<'_> {
    /// Whether the budget had enough to make this share at least `bytes`.
    fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let grown = self.budget.take(more);
        self.bytes += if grown { more } else { 0 };
        grown
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.taken.fetch_sub(self.bytes, Relaxed);
    }
}

/// The bytes of a body, or of its front; they count against the budget until this is dropped.
#[derive(Debug)]
pub struct Collected<'b> {
    bytes: Bytes,
    _share: Share<'b>,
}

impl Collected<'_> {
    /// What was read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body that did not arrive whole.
#[derive(Debug)]
pub struct Incomplete<'b> {
    /// Why the reading ended.
    pub reason: Reason,
    /// What had been read by then; at most the limit.
    pub prefix: Collected<'b>,
}

/// Why a body did not arrive whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is larger than the limit (HTTP 413).
    TooLarge,
    /// It did not arrive before the deadline (HTTP 408).
    Late,
    /// The bodies in flight hold the whole budget (HTTP 429).
    OverBudget,
    /// The connection ended, or its framing was wrong (HTTP 400).
    Broken,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the request body is too large",
            Self::Late => "the request body did not arrive in time",
            Self::OverBudget => "too many bytes of other requests are in flight: try again",
            Self::Broken => "the request body ended early or is framed wrongly",
        })
    }
}

/// Collects `body`, of at most `limit` bytes, until `deadline`.
///
/// A body of one piece is returned as it came, without a copy. Otherwise the buffer is sized by `Content-Length`, up to
/// 256 KiB at once. A body that declares more than `limit` is not read beyond the 64 KiB that a uid is looked for in.
pub async fn collect<B>(
    body: B,
    limit: usize,
    deadline: Instant,
    budget: &Budget,
) -> Result<Collected<'_>, Incomplete<'_>>
where
    B: Body<Data = Bytes>,
{
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let most = if declared > limit { limit.min(PREFIX_BYTES) } else { limit };
    let mut share = Share { budget, bytes: 0 };
    let mut first = Bytes::new();
    let mut rest = Vec::new();
    let mut body = pin!(body);
    let mut timeout = pin!(sleep_until(deadline));
    let ended = loop {
        // Polled first, and the timer not at all while data is at hand: a timer costs a lock.
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            () = &mut timeout => break Some(Reason::Late),
        };
        let data = match frame {
            None => break None,
            Some(Err(_)) => break Some(Reason::Broken),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => data,
                Err(_trailers) => continue,
            },
        };
        let held = first.len() + rest.len();
        let room = most.saturating_sub(held);
        let fits = data.len() <= room;
        let data = if fits { data } else { data.slice(..room) };
        let needed = held + data.len();
        if held == 0 {
            if !share.grow_to(needed) {
                // This piece is in memory already, and the uid stands at its front: without it the request could not be
                // told from others, and would be asked to come again for ever.
                first = data.slice(..data.len().min(PREFIX_BYTES));
                break Some(Reason::OverBudget);
            }
            first = data;
        } else {
            if needed > rest.capacity() {
                let capacity = next_capacity(rest.capacity(), needed, declared, most);
                if !share.grow_to(capacity) {
                    break Some(Reason::OverBudget);
                }
                rest.reserve_exact(capacity - rest.len());
            }
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
        if !fits {
            break Some(Reason::TooLarge);
        }
        // Saves the last poll, and tells the connection that nothing of the body is left.
        if body.is_end_stream() {
            break None;
        }
    };
    let bytes = if rest.is_empty() { first } else { Bytes::from(rest) };
    let collected = Collected { bytes, _share: share };
    match ended {
        None => Ok(collected),
        Some(reason) => Err(Incomplete { reason, prefix: collected }),
    }
}

/// The capacity of a buffer that has `current` and must hold `needed` of a body of `declared` bytes, or of at most
/// `most` where that is not known.
///
/// The memory itself counts against the budget, so it never exceeds what the body can come to.
fn next_capacity(current: usize, needed: usize, declared: usize, most: usize) -> usize {
    let wanted = if current == 0 { declared.min(MAX_FIRST_CAPACITY) } else { current.saturating_mul(2) };
    let ceiling = if declared >= needed { declared.min(most) } else { most };
    wanted.min(ceiling).max(needed)
}

#[cfg(test)]
mod tests;
