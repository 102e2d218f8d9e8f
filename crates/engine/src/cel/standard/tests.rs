//! The bodies against what cel-go answers: `answers/*.jsonl` hold, a line, overloads (one after the other on the first result),
//! arguments and the answer.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::LIBRARIES;
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::encoding;
use crate::cel::error::{ErrorKind, Limit, Outcome};
use crate::cel::function::Overload;
use crate::cel::value::{List, Value};
use crate::deadline::Deadline;
use crate::json::{Arena, read};

fn overload(id: &str) -> &'static Overload {
    let overloads = LIBRARIES.iter().flat_map(|library| library.overloads);
    overloads.clone().find(|overload| overload.id == id).unwrap_or_else(|| panic!("no overload {id}"))
}

fn meter() -> Meter {
    Meter::new(1_000_000, 16 << 20, Deadline::never())
}

/// What the overloads, one after the other, make of the arguments.
fn call<'a>(calls: &[&str], arguments: &[Value<'a>], context: &Context<'_, 'a>) -> Outcome<'a> {
    let [first, others @ ..] = calls else { panic!("nothing to call") };
    let mut value = (overload(first).call)(context, arguments)?;
    for other in others {
        value = (overload(other).call)(context, &[value])?;
    }
    Ok(value)
}

/// The answer to a line, written as the line's own answer is; an error is null.
fn answer(line: &Json) -> Json {
    let arena = Arena::with_limit(64 << 20);
    let meter = meter();
    let context = Context::new(&arena, &meter, &NoHost);
    let calls: Vec<&str> = line["calls"].as_array().unwrap().iter().map(|call| call.as_str().unwrap()).collect();
    let text = arena.text(&line["arguments"].to_string());
    let arguments: Vec<Value<'_>> =
        read(&arena, text).unwrap().items().iter().map(|tagged| encoding::decode(*tagged, &context).unwrap()).collect();
    match call(&calls, &arguments, &context) {
        Ok(value) => serde_json::from_str(&encoding::encode(value).unwrap()).unwrap(),
        Err(_) => Json::Null,
    }
}

fn check(lines: &str) {
    let mut wrong = vec![];
    for text in lines.lines() {
        let line: Json = serde_json::from_str(text).unwrap();
        let answer = answer(&line);
        let expected = if line["answer"].get("error").is_some() { Json::Null } else { line["answer"].clone() };
        if answer != expected {
            wrong.push(format!("{text}\n  answers {answer}"));
        }
    }
    let count = wrong.len();
    wrong.truncate(40);
    assert!(count == 0, "{count} wrong:\n{}", wrong.join("\n"));
}

macro_rules! answers_as_upstream {
    ($($name:ident),+ $(,)?) => {
        mod answers_as_upstream {
            $(
                #[test]
                fn $name() {
                    super::check(include_str!(concat!("answers/", stringify!($name), ".jsonl")));
                }
            )+
        }
    };
}

answers_as_upstream!(
    access,
    arithmetic,
    comparisons,
    conversions,
    durations,
    format,
    lists,
    mixed,
    optionals,
    sets,
    sort,
    strings,
    timestamps,
    zones,
);

/// The limit that ends a call, with so many bytes for new values.
fn limit_of<'a>(id: &str, arguments: &[Value<'a>], context: &Context<'_, 'a>) -> Option<Limit> {
    match (overload(id).call)(context, arguments) {
        Err(error) => match error.kind {
            ErrorKind::Limit(limit) => Some(limit),
            _ => None,
        },
        Ok(_) => None,
    }
}

#[test]
fn takes_memory_before_it_makes_values() {
    let long = "a".repeat(100_000);
    let all_commas = ",".repeat(100_000);
    let format = "%s".repeat(1000);
    let padded = "%.65535e".repeat(100);
    let values = vec![Value::String(&long); 1000];
    let doubles = vec![Value::Double(1.0); 100];
    let nested = [Value::List(List::Values(&values)); 100];
    let (list, nested) = (Value::List(List::Values(&values)), Value::List(List::Values(&nested)));
    let (long, all_commas) = (Value::String(&long), Value::String(&all_commas));
    for (id, arguments) in [
        ("lists_range", vec![Value::Int(1_000_000_000)]),
        ("lists_range", vec![Value::Int(i64::MAX)]),
        ("string_replace_string_string", vec![long, Value::String("a"), long]),
        ("string_replace_string_string", vec![long, Value::String(""), long]),
        ("string_split_string", vec![all_commas, Value::String(",")]),
        ("string_split_string", vec![long, Value::String("")]),
        ("list_join", vec![list]),
        ("list_join_string", vec![list, long]),
        ("string_format", vec![Value::String(&format), list]),
        ("string_format", vec![Value::String("%s"), Value::List(List::Values(&[list]))]),
        ("string_format", vec![Value::String(&padded), Value::List(List::Values(&doubles))]),
        ("list_flatten", vec![nested]),
        ("add_string", vec![Value::String(&"b".repeat(2_000_000)), long]),
        ("add_bytes", vec![Value::Bytes(&vec![0; 2_000_000]), Value::Bytes(b"x")]),
    ] {
        let arena = Arena::with_limit(64 << 20);
        let meter = Meter::new(0, 2_000_000, Deadline::never());
        let context = Context::new(&arena, &meter, &NoHost);
        assert_eq!(limit_of(id, &arguments, &context), Some(Limit::Memory), "{id}");
        assert!(arena.used() < 3_000_000, "{id} used {}", arena.used());
    }
}

#[test]
fn ends_in_time_with_lists_that_were_doubled() {
    let arena = Arena::with_limit(64 << 20);
    let filling = meter();
    let context = Context::new(&arena, &filling, &NoHost);
    let mut list = List::of(&[Value::Int(2), Value::Int(2)], &context).unwrap();
    for _ in 0..63 {
        list = list.plus(list, &context).unwrap();
    }
    let list = Value::List(list);
    for (id, arguments) in [
        ("in_list", vec![Value::Int(1), list]),
        ("equals", vec![list, list]),
        ("list_int_sum_int", vec![list]),
        ("list_int_max_int", vec![list]),
        ("list_int_is_sorted_bool", vec![list]),
        ("list_a_index_of_int", vec![list, Value::Int(1)]),
        ("list_a_last_index_of_int", vec![list, Value::Int(1)]),
        ("list_sets_contains_list", vec![list, list]),
        ("list_sets_intersects_list", vec![list, Value::List(List::EMPTY)]),
        ("list_slice", vec![list, Value::Int(i64::MAX - 1), Value::Int(i64::MAX)]),
        ("list_distinct", vec![list]),
        ("list_reverse", vec![list]),
        ("list_int_sort", vec![list]),
        ("list_flatten", vec![list]),
    ] {
        let meter = Meter::new(0, 1 << 20, Deadline::at(Instant::now() + Duration::from_millis(20)));
        let context = Context::new(&arena, &meter, &NoHost);
        let limit = limit_of(id, &arguments, &context);
        assert!(matches!(limit, Some(Limit::Time | Limit::Memory)), "{id}: {limit:?}");
    }
    let overflow = (overload("list_last").call)(&context, &[list]);
    assert!(matches!(overflow, Ok(Value::Optional(_))), "{overflow:?}");
}

#[test]
fn flattens_and_prints_no_deeper_than_the_context_allows() {
    let arena = Arena::with_limit(64 << 20);
    let meter = meter();
    let context = Context::new(&arena, &meter, &NoHost);
    let mut value = Value::Int(1);
    for _ in 0..2000 {
        value = Value::List(List::of(&[value], &context).unwrap());
    }
    assert_eq!(limit_of("list_flatten_int", &[value, Value::Int(i64::MAX)], &context), Some(Limit::Depth));
    assert_eq!(limit_of("string_format", &[Value::String("%s"), value], &context), Some(Limit::Depth));
}

#[test]
fn sorts_large_lists_of_equal_keys_fast() {
    let arena = Arena::with_limit(64 << 20);
    let meter = Meter::new(0, 64 << 20, Deadline::at(Instant::now() + Duration::from_secs(10)));
    let context = Context::new(&arena, &meter, &NoHost);
    let values: Vec<Value<'_>> = (0..100_000).map(|number| Value::Int(number % 7)).collect();
    let list = Value::List(List::Values(&values));
    let sorted = (overload("list_int_sort").call)(&context, &[list]).unwrap();
    let is_sorted = (overload("list_int_is_sorted_bool").call)(&context, &[sorted]);
    assert!(matches!(is_sorted, Ok(Value::Bool(true))));
}
