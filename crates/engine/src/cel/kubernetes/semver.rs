//! Semantic versions (k8s.io/apiserver/pkg/cel/library/semverlib.go, github.com/blang/semver/v4).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::quoted::Quoted;
use crate::cel::context::Context;
use crate::cel::error::Outcome;
use crate::cel::function::{Library, Overload, Version, global, member};
use crate::cel::value::{Opaque, Semver, Value};

/// `semver`, `isSemver`, `major`, `minor`, `patch` and the comparisons
pub(super) const LIBRARY: Library = Library { name: "semver", since: Version(33), until: None, overloads: OVERLOADS };

const OVERLOADS: &[Overload] = &[
    global("string_to_semver", "semver", &["string"], "kubernetes.Semver", of_string),
    global("string_bool_to_semver", "semver", &["string", "bool"], "kubernetes.Semver", of_string),
    global("is_semver_string", "isSemver", &["string"], "bool", is_semver),
    global("is_semver_string_bool", "isSemver", &["string", "bool"], "bool", is_semver),
    member("semver_is_greater_than", "isGreaterThan", PAIR, "bool", is_greater_than),
    member("semver_is_less_than", "isLessThan", PAIR, "bool", is_less_than),
    member("semver_compare_to", "compareTo", PAIR, "int", compare_to),
    member("semver_major", "major", &["kubernetes.Semver"], "int", major),
    member("semver_minor", "minor", &["kubernetes.Semver"], "int", minor),
    member("semver_patch", "patch", &["kubernetes.Semver"], "int", patch),
];

const PAIR: &[&str] = &["kubernetes.Semver", "kubernetes.Semver"];

/// The text to be read, in full where it may be short.
fn text<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, Result<Cow<'a, str>, &'static str>> {
    let (text, normalizes) = match *arguments {
        [Value::String(text)] => (text, false),
        [Value::String(text), Value::Bool(normalizes)] => (text, normalizes),
        _ => return context.no_such_overload(),
    };
    context.step(text.len() / 8)?;
    Ok(if normalizes { normalized(text).map(Cow::Owned) } else { Ok(Cow::Borrowed(text)) })
}

fn of_string<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = match text(context, arguments)? {
        Ok(Cow::Borrowed(text)) => text,
        Ok(Cow::Owned(text)) => context.text(&text)?,
        Err(reason) => return super::refuse(context, reason),
    };
    match parse(text) {
        Ok(version) => Ok(Value::Opaque(Opaque::Semver(context.keep(version)?))),
        Err(reason) => super::refuse(context, &reason),
    }
}

fn is_semver<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(text(context, arguments)?.is_ok_and(|text| parse(&text).is_ok())))
}

/// Without a leading `v` and leading zeros, and with zeros for a missing minor and patch number (`normalizeAndParse`).
fn normalized(text: &str) -> Result<String, &'static str> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
    if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
        return Err("short version cannot contain PreRelease/Build meta data");
    }
    parts.resize(3, "0".to_owned());
    Ok(parts.join("."))
}

fn without_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|first: char| first.is_ascii_digit()) { rest.to_owned() } else { format!("0{rest}") }
}

/// `semver.Parse`
fn parse(text: &str) -> Result<Semver<'_>, String> {
    if text.is_empty() {
        return Err("Version string empty".to_owned());
    }
    let mut parts = text.splitn(3, '.');
    let (Some(major), Some(minor), Some(patch)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("No Major.Minor.Patch elements found".to_owned());
    };
    let (major, minor) = (number(major, "Major", "major")?, number(minor, "Minor", "minor")?);
    let (patch, build) = patch.split_once('+').map_or((patch, None), |(patch, build)| (patch, Some(build)));
    let (patch, pre) = patch.split_once('-').map_or((patch, None), |(patch, pre)| (patch, Some(pre)));
    let patch = number(patch, "Patch", "patch")?;
    for part in pre.into_iter().flat_map(|pre| pre.split('.')) {
        check_pre(part)?;
    }
    for part in build.into_iter().flat_map(|build| build.split('.')) {
        if part.is_empty() {
            return Err("Build meta data is empty".to_owned());
        }
        if !is_word(part) {
            return Err(format!("Invalid character(s) found in build meta data {}", Quoted(part)));
        }
    }
    Ok(Semver { major, minor, patch, pre: pre.unwrap_or_default(), build: build.unwrap_or_default() })
}

fn number(digits: &str, name: &str, lower: &str) -> Result<u64, String> {
    if !is_number(digits) {
        return Err(format!("Invalid character(s) found in {lower} number {}", Quoted(digits)));
    }
    if has_leading_zero(digits) {
        return Err(format!("{name} number must not contain leading zeroes {}", Quoted(digits)));
    }
    parse_uint(digits)
}

/// `strconv.ParseUint` of digits.
fn parse_uint(digits: &str) -> Result<u64, String> {
    let reason = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
    digits.parse().map_err(|_| format!("strconv.ParseUint: parsing {}: {reason}", Quoted(digits)))
}

fn check_pre(part: &str) -> Result<(), String> {
    if part.is_empty() {
        return Err("Prerelease is empty".to_owned());
    }
    if is_number(part) {
        if has_leading_zero(part) {
            return Err(format!("Numeric PreRelease version must not contain leading zeroes {}", Quoted(part)));
        }
        return parse_uint(part).map(|_| ());
    }
    if is_word(part) { Ok(()) } else { Err(format!("Invalid character(s) found in prerelease {}", Quoted(part))) }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

/// The order of versions; builds are of no account (`Version.Compare`).
fn order<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a, Ordering> {
    let &[Value::Opaque(Opaque::Semver(left)), Value::Opaque(Opaque::Semver(right))] = arguments else {
        return context.no_such_overload();
    };
    context.step(left.pre.len().min(right.pre.len()) / 16)?;
    let numbers = |version: &Semver<'_>| (version.major, version.minor, version.patch);
    Ok(numbers(left).cmp(&numbers(right)).then_with(|| match (left.pre, right.pre) {
        ("", _) | (_, "") => left.pre.is_empty().cmp(&right.pre.is_empty()),
        (left, right) => left.split('.').map(pre_part).cmp(right.split('.').map(pre_part)),
    }))
}

/// Numbers come before words.
fn pre_part(part: &str) -> (bool, u64, &str) {
    if is_number(part) { (false, part.parse().unwrap_or(u64::MAX), "") } else { (true, 0, part) }
}

fn is_greater_than<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(order(context, arguments)?.is_gt()))
}

fn is_less_than<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Bool(order(context, arguments)?.is_lt()))
}

fn compare_to<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    Ok(Value::Int(order(context, arguments)? as i64))
}

fn field<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>], of: fn(&Semver<'_>) -> u64) -> Outcome<'a> {
    let &[Value::Opaque(Opaque::Semver(version))] = arguments else { return context.no_such_overload() };
    // Upstream's conversion wraps around.
    Ok(Value::Int(of(version).cast_signed()))
}

fn major<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    field(context, arguments, |version| version.major)
}

fn minor<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    field(context, arguments, |version| version.minor)
}

fn patch<'a>(context: &Context<'_, 'a>, arguments: &[Value<'a>]) -> Outcome<'a> {
    field(context, arguments, |version| version.patch)
}
