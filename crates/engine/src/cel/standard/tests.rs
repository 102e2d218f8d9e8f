//! The bodies against what cel-go answers: `answers/*.jsonl` hold, a line, overloads (one after the other on the first result),
//! arguments and the answer.

use serde_json::Value as Json;

use super::LIBRARIES;
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::encoding;
use crate::cel::error::Outcome;
use crate::cel::function::Overload;
use crate::cel::value::Value;
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
