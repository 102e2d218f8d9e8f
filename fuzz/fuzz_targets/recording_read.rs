//! A recording's line, whatever is in it: it is read or refused, and what was read is redacted and written without a look at
//! what is redacted, and read again as it was.
#![no_main]

use admittance_engine::json::Arena;
use admittance_engine::recording::{Line, Recorded};
use admittance_engine::redaction::Redaction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let Ok(recorded) = Recorded::read(line) else { return };
    let arena = Arena::with_limit(1 << 24);
    let Ok(review) = recorded.review(&arena) else { return };
    let Ok(review) = Redaction::default().review(&review) else { return };
    assert_eq!(arena.unknowns(), 0);
    let printed = Line {
        time: &recorded.time,
        route: recorded.route(),
        set: &recorded.set,
        cluster: recorded.cluster,
        review: &review,
        lookups: &recorded.lookups,
        answer: recorded.answer.as_ref(),
    }
    .print();
    let printed = std::str::from_utf8(&printed).expect("JSON is UTF-8");
    let again = Recorded::read(printed).expect("what was written is read");
    assert_eq!(again.lookups, recorded.lookups);
    let second = again.review(&arena).expect("its request is read");
    assert!(second.object() == review.object() && second.old_object() == review.old_object());
});
