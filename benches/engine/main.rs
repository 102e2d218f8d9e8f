//! The engine's hot paths, timed: stages of a request, and whole requests. `make bench-compare BASE=REF` runs it for two versions
//! in turn.

#[path = "../paths/mod.rs"]
mod paths;

use std::hint::black_box;
use std::time::Duration;

use admittance_engine::json::Arena;
use admittance_engine::pipeline::Budget;
use criterion::Criterion;
use paths::{Path, Stages};

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(50)
        .configure_from_args();
    let paths = Path::all()?;
    for path in &paths {
        let mut arena = Arena::with_limit(Budget::REVIEW);
        criterion.bench_function(&format!("request/{}", path.name), |bencher| {
            bencher.iter(|| black_box(path.answer(&mut arena).is_ok()));
        });
    }
    let named = |name: &str| paths.iter().find(|path| path.name == name).ok_or("no such path");
    read(&mut criterion, named("modules")?);
    for name in ["modules", "vaps", "hardened_mutate"] {
        judge(&mut criterion, named(name)?)?;
    }
    for name in ["modules", "hardened_mutate", "modules_deny"] {
        write(&mut criterion, named(name)?)?;
    }
    criterion.final_summary();
    Ok(())
}

/// The envelope and the tree.
fn read(criterion: &mut Criterion, path: &Path) {
    let (stages, mut arena) = (Stages(path), Arena::with_limit(Budget::REVIEW));
    criterion.bench_function("stage/read", |bencher| {
        bencher.iter(|| {
            black_box(stages.review(&arena).is_ok());
            arena.reset();
        });
    });
}

/// Which policies are asked, and then what they say of the tree.
fn judge(criterion: &mut Criterion, path: &Path) -> Result<(), Failure> {
    let (stages, arena) = (Stages(path), Arena::with_limit(1 << 34));
    let review = stages.review(&arena)?;
    criterion.bench_function(&format!("stage/match/{}", path.name), |bencher| {
        bencher.iter(|| black_box(stages.candidates(black_box(&review))));
    });
    criterion.bench_function(&format!("stage/admit/{}", path.name), |bencher| {
        // What they make is in the arena, which is emptied with the review.
        let mut fresh = Arena::with_limit(1 << 34);
        bencher.iter_custom(|count| {
            let mut taken = Duration::ZERO;
            for _ in 0..count {
                fresh.reset();
                let Ok(review) = stages.review(&fresh) else { return Duration::MAX };
                let begun = std::time::Instant::now();
                black_box(stages.verdict(black_box(&review)).is_ok());
                taken += begun.elapsed();
            }
            taken
        });
    });
    Ok(())
}

/// The patch and the answer.
fn write(criterion: &mut Criterion, path: &Path) -> Result<(), Failure> {
    let (stages, arena) = (Stages(path), Arena::with_limit(Budget::REVIEW));
    let review = stages.review(&arena)?;
    let verdict = stages.verdict(&review)?;
    criterion.bench_function(&format!("stage/write/{}", path.name), |bencher| {
        bencher.iter(|| black_box(stages.write(black_box(&review), black_box(&verdict))));
    });
    Ok(())
}
