use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http_body::{Frame, SizeHint};
use http_body_util::Full;

use super::*;

/// A body of given pieces; `None` among them means that nothing more comes.
struct Pieces {
    left: VecDeque<Option<Result<Frame<Bytes>, &'static str>>>,
    declared: u64,
}

impl Pieces {
    fn new(pieces: &[&'static [u8]]) -> Self {
        let left: VecDeque<_> = pieces.iter().map(|piece| Some(Ok(Frame::data(Bytes::from_static(piece))))).collect();
        Self { left, declared: 0 }
    }

    fn then(mut self, last: Option<Result<Frame<Bytes>, &'static str>>) -> Self {
        self.left.push_back(last);
        self
    }

    fn declaring(self, declared: u64) -> Self {
        Self { declared, ..self }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match self.left.pop_front() {
            None => Poll::Ready(None),
            Some(None) => {
                self.left.push_front(None);
                Poll::Pending
            }
            Some(piece) => Poll::Ready(piece),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.declared);
        hint
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

async fn outcome(body: Pieces, limit: usize, budget: &Budget) -> (Option<Reason>, Vec<u8>) {
    match collect(body, limit, soon(), budget).await {
        Ok(whole) => (None, whole.bytes().to_vec()),
        Err(Incomplete { reason, prefix }) => (Some(reason), prefix.bytes().to_vec()),
    }
}

#[tokio::test(start_paused = true)]
async fn accepts_bodies_up_to_the_limit_to_the_byte() {
    let budget = Budget::new(100);
    for (limit, expected) in
        [(6, None), (5, Some(Reason::TooLarge)), (4, Some(Reason::TooLarge)), (0, Some(Reason::TooLarge))]
    {
        let (reason, bytes) = outcome(Pieces::new(&[b"ab", b"", b"cde", b"f"]), limit, &budget).await;
        assert_eq!((reason, bytes.as_slice()), (expected, &b"abcdef"[..limit.min(6)]));
    }
    assert_eq!(budget.taken(), 0);
}

#[tokio::test(start_paused = true)]
async fn accepts_an_empty_body_and_trailers() {
    let budget = Budget::new(0);
    assert_eq!(outcome(Pieces::new(&[]), 10, &budget).await, (None, vec![]));
    let trailers = Pieces::new(&[]).then(Some(Ok(Frame::trailers(hyper::HeaderMap::new()))));
    assert_eq!(outcome(trailers, 10, &budget).await, (None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn keeps_a_body_of_one_piece_without_a_copy() {
    let budget = Budget::new(10);
    let bytes = Bytes::from_static(b"whole");
    let collected = collect(Full::<Bytes>::new(bytes.clone()), 10, soon(), &budget).await.unwrap();
    assert_eq!(collected.bytes().as_ptr(), bytes.as_ptr());
}

#[tokio::test(start_paused = true)]
async fn keeps_the_prefix_of_a_body_that_comes_too_late() {
    let budget = Budget::new(10);
    let begun = Instant::now();
    let slow = outcome(Pieces::new(&[b"ab"]).then(None), 10, &budget).await;
    assert_eq!(slow, (Some(Reason::Late), b"ab".to_vec()));
    assert!((9_900..10_100).contains(&begun.elapsed().as_millis()));
}

#[tokio::test(start_paused = true)]
async fn keeps_the_prefix_of_a_body_that_breaks_off() {
    let budget = Budget::new(10);
    let broken = outcome(Pieces::new(&[b"ab", b"c"]).then(Some(Err("reset"))), 10, &budget).await;
    assert_eq!(broken, (Some(Reason::Broken), b"abc".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn rejects_what_the_shared_budget_does_not_hold_and_gives_back_what_was_taken() {
    let budget = Budget::new(10);
    let held = collect(Pieces::new(&[b"1234", b"56"]).declaring(6), 10, soon(), &budget).await.unwrap();
    assert_eq!(budget.taken(), 6);
    assert_eq!(outcome(Pieces::new(&[b"abc", b"de"]), 10, &budget).await, (Some(Reason::OverBudget), b"abc".to_vec()));
    assert_eq!(budget.taken(), 6);
    drop(held);
    assert_eq!(budget.taken(), 0);
    assert_eq!(outcome(Pieces::new(&[b"abc", b"de"]), 10, &budget).await, (None, b"abcde".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn rejects_a_body_that_declares_too_much_after_the_prefix_that_holds_the_uid() {
    static PIECE: [u8; 48 << 10] = [b'x'; 48 << 10];
    let budget = Budget::new(1 << 20);
    let body = Pieces::new(&[&PIECE, &PIECE, &PIECE]).declaring(10 << 20);
    let (reason, prefix) = outcome(body, 1 << 20, &budget).await;
    assert_eq!((reason, prefix.len()), (Some(Reason::TooLarge), PREFIX_BYTES));
}

#[test]
fn keeps_a_declared_length_from_setting_much_memory_aside() {
    let most = MAX_BODY_BYTES;
    let cases = [
        // (current, needed, declared) and the capacity
        ((0, 9_000, 13_588), 13_588),
        ((0, 2, most), MAX_FIRST_CAPACITY),
        ((0, 300_000, most), 300_000),
        ((300_000, 300_001, most), 600_000),
        ((300_000, 300_001, 400_000), 400_000),
        // Chunked: nothing is declared.
        ((0, 9_000, 0), 9_000),
        ((9_000, 9_001, 0), 18_000),
        ((most - 1, most, 0), most),
    ];
    for ((current, needed, declared), capacity) in cases {
        assert_eq!(next_capacity(current, needed, declared, most), capacity, "{current} {needed} {declared}");
    }
}

#[tokio::test(start_paused = true)]
async fn keeps_a_body_in_one_buffer_of_its_declared_size() {
    let budget = Budget::new(1 << 20);
    let collected = collect(Pieces::new(&[b"ab", b"cd", b"ef"]).declaring(6), 100, soon(), &budget).await.unwrap();
    assert_eq!((collected.bytes(), budget.taken()), (&b"abcdef"[..], 6));
}
