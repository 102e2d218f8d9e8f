//! URLs (k8s.io/apiserver/pkg/cel/library/urls.go).

use super::url::{Part, go_text, parse_reference, parse_request_uri, split_port, unescape};
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{List, Map, Opaque, Url, Value};

/// `url`, `isURL` and what a URL is made of
pub(super) const LIBRARY: Library = Library { name: "urls", since: Version(0), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("string_to_url", "url", &["string"], "kubernetes.URL", of_string),
    member("url_get_scheme", "getScheme", URL, "string", scheme),
    member("url_get_host", "getHost", URL, "string", host),
    member("url_get_hostname", "getHostname", URL, "string", hostname),
    member("url_get_port", "getPort", URL, "string", port),
    member("url_get_escaped_path", "getEscapedPath", URL, "string", escaped_path),
    member("url_get_query", "getQuery", URL, "map(string, list(string))", query),
    global("is_url_string", "isURL", &["string"], "bool", is_url),
];

const URL: &[&str] = &["kubernetes.URL"];

/// Queries with more parameters than this are taken for empty (net/url, `defaultMaxParams`).
const MAX_PARAMETERS: usize = 10_000;

fn of_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(text.len() / 4)?;
    // The first one knows no fragments but refuses what is not absolute; the second one knows them.
    match parse_request_uri(text).and_then(|_| parse_reference(text)) {
        Ok(parsed) => {
            let url = Url {
                text: context.text(&parsed.print())?,
                scheme: context.text(&parsed.scheme)?,
                host: context.text(&go_text(&parsed.host))?,
                escaped_path: context.text(&parsed.escaped_path())?,
                raw_query: context.text(parsed.raw_query)?,
            };
            Ok(Value::Opaque(Opaque::Url(context.keep(url)?)))
        }
        Err(reason) => super::refuse(context, &format!("URL parse error during conversion from string: {reason}")),
    }
}

fn is_url<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let &[Value::String(text)] = arguments else { return context.no_such_overload() };
    context.step(text.len() / 4)?;
    Ok(Value::Bool(parse_request_uri(text).is_ok()))
}

fn of_url<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, &'a Url<'a>> {
    match *arguments {
        [Value::Opaque(Opaque::Url(url))] => Ok(url),
        _ => context.no_such_overload(),
    }
}

fn scheme<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(of_url(context, arguments)?.scheme))
}

fn host<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(of_url(context, arguments)?.host))
}

fn hostname<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(split_port(of_url(context, arguments)?.host).0))
}

fn port<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(split_port(of_url(context, arguments)?.host).1))
}

fn escaped_path<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::String(of_url(context, arguments)?.escaped_path))
}

/// The parameters by their keys, in the order in which the keys appear; what cannot be decoded is left out.
fn query<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let query = of_url(context, arguments)?.raw_query;
    context.step(query.len() / 4)?;
    let mut parameters: Vec<(&str, Vec<Value<'_>>)> = vec![];
    if query.matches('&').count() < MAX_PARAMETERS {
        let mut positions = std::collections::BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            context.step(4)?;
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Ok(key), Ok(value)) = (unescape(key, Part::QueryComponent), unescape(value, Part::QueryComponent))
            else {
                continue;
            };
            let (key, value) = (context.text(&go_text(&key))?, context.text(&go_text(&value))?);
            let position = *positions.entry(key).or_insert(parameters.len());
            match parameters.get_mut(position) {
                Some((_, values)) => values.push(Value::String(value)),
                None => parameters.push((key, vec![Value::String(value)])),
            }
        }
    }
    let mut entries = Vec::with_capacity(parameters.len());
    for (key, values) in parameters {
        entries.push((Value::String(key), Value::List(List::of(&values, context)?)));
    }
    Ok(Value::Map(Map::of(&entries, context)?))
}
