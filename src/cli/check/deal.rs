//! Work dealt out to threads, results taken in order.

use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many results of one thread may wait. It bounds what is held in memory, however many items there are.
const WAITING: usize = 64;

/// Does `work` on all items, each with a way to send results, and hands these to `take` in the order of the items with the
/// position of the item; `None` marks its end. Items are dealt out like cards, one thread a core, so that results come back
/// in order by asking the threads in turn. Ends early when `take` says false; `work` learns it from its sender.
pub(super) fn deal<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T, &mut dyn FnMut(R) -> bool) + Sync,
    mut take: impl FnMut(usize, Option<R>) -> bool,
) {
    let players = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let work = &work;
    thread::scope(|scope| {
        let results: Vec<Receiver<Option<R>>> = (0..players)
            .map(|player| {
                let (sender, receiver) = sync_channel(WAITING);
                scope.spawn(move || play(items.iter().skip(player).step_by(players), work, &sender));
                receiver
            })
            .collect();
        for (position, receiver) in (0..items.len()).zip(results.iter().cycle()) {
            loop {
                // A thread that is gone has nothing more to say.
                let result = receiver.recv().unwrap_or_default();
                let is_end = result.is_none();
                if !take(position, result) {
                    return;
                }
                if is_end {
                    break;
                }
            }
        }
    });
}

fn play<'t, T: 't, R>(
    items: impl Iterator<Item = &'t T>,
    work: &impl Fn(&T, &mut dyn FnMut(R) -> bool),
    sender: &SyncSender<Option<R>>,
) {
    for item in items {
        work(item, &mut |result| sender.send(Some(result)).is_ok());
        if sender.send(None).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_the_items_and_of_their_results() {
        let items: Vec<usize> = (0..500).collect();
        let mut taken = Vec::new();
        deal(
            &items,
            |item, send| (0..item % 7 * 40).for_each(|part| assert!(send((*item, part)))),
            |position, result| {
                taken.push((position, result));
                true
            },
        );
        let expected: Vec<_> = items
            .iter()
            .flat_map(|item| {
                (0..item % 7 * 40).map(|part| Some((*item, part))).chain([None]).map(|result| (*item, result))
            })
            .collect();
        assert!(taken == expected);
    }

    #[test]
    fn stops_when_nobody_takes_more() {
        let items = [(); 100];
        let mut taken = 0;
        deal(
            &items,
            |(), send| while send(()) {},
            |_, _| {
                taken += 1;
                taken < 1000
            },
        );
        assert_eq!(taken, 1000);
    }

    #[test]
    fn has_nothing_to_do_without_items() {
        deal(&[(); 0], |(), _: &mut dyn FnMut(()) -> bool| {}, |_, _| unreachable!());
    }
}
