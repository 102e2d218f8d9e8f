//! Plans are followed in a small world: a clock, a Secret, two webhook configurations, replicas.

mod order;
mod world;
mod property;
