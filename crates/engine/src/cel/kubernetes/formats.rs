//! The formats that have names (k8s.io/apiserver/pkg/cel/library/format.go), and what is wrong with texts that do not have
//! them (k8s.io/apimachinery, api/validate/content; k8s.io/kube-openapi, validation/strfmt).

use super::url::parse_request_uri;

/// A format.
pub struct Format {
    /// What `format.named` calls it.
    pub key: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// The size of a pattern that does as much: the cost of `validate` depends on it.
    pub pattern_size: u64,
    /// All that is wrong with a text.
    pub(super) problems: fn(&str) -> Vec<String>,
}

/// All of them.
pub static FORMATS: &[Format] = &[
    Format { key: "dns1123Label", name: "DNS1123Label", pattern_size: 30, problems: label },
    Format { key: "dns1123Subdomain", name: "DNS1123Subdomain", pattern_size: 60, problems: subdomain },
    Format { key: "dns1035Label", name: "DNS1035Label", pattern_size: 30, problems: label_1035 },
    Format { key: "qualifiedName", name: "QualifiedName", pattern_size: 60, problems: qualified_name },
    Format {
        key: "dns1123LabelPrefix",
        name: "DNS1123LabelPrefix",
        pattern_size: 30,
        problems: |text| label(&prefix(text)),
    },
    Format {
        key: "dns1123SubdomainPrefix",
        name: "DNS1123SubdomainPrefix",
        pattern_size: 60,
        problems: |text| subdomain(&prefix(text)),
    },
    Format {
        key: "dns1035LabelPrefix",
        name: "DNS1035LabelPrefix",
        pattern_size: 30,
        problems: |text| label_1035(&prefix(text)),
    },
    Format { key: "labelValue", name: "LabelValue", pattern_size: 40, problems: label_value },
    Format {
        key: "uri",
        name: "URI",
        pattern_size: 1103,
        problems: |text| parse_request_uri(text).err().into_iter().collect(),
    },
    Format {
        key: "uuid",
        name: "uuid",
        pattern_size: 78,
        problems: |text| unless(is_uuid(text), "does not match the UUID format"),
    },
    Format { key: "byte", name: "byte", pattern_size: 84, problems: |text| unless(is_base64(text), "invalid base64") },
    Format { key: "date", name: "date", pattern_size: 89, problems: |text| unless(is_date(text), "invalid date") },
    Format {
        key: "datetime",
        name: "datetime",
        pattern_size: 89,
        problems: |text| unless(is_datetime(text), "invalid datetime"),
    },
];

/// The format of this key.
pub fn named(key: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.key == key)
}

/// The format that calls itself so.
pub fn of_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

fn unless(is_valid: bool, problem: &str) -> Vec<String> {
    if is_valid { vec![] } else { vec![problem.to_owned()] }
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// Lower-case letters and digits, with `-` between them.
pub(super) fn is_label(text: &str) -> bool {
    is_word(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), b"-")
}

/// Labels with a point between them.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_name(text: &str) -> bool {
    is_word(text, |byte| byte.is_ascii_alphanumeric(), b"-_.")
}

/// Made of letters, and of `inner` everywhere but at both ends.
fn is_word(text: &str, is_letter: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
        return false;
    };
    is_letter(first) && is_letter(last) && text.bytes().all(|byte| is_letter(byte) || inner.contains(&byte))
}

/// `MaxLenError`, of which there are two that count the same and call it differently.
fn too_long(text: &str, most: usize, unit: &str) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} {unit}"))
}

/// `RegexError`
fn mismatch(message: &str, pattern: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{message} (e.g. {}regex used for validation is '{pattern}')", examples.join(" or "))
}

/// `IsDNS1123Label`
fn label(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, 63, "characters"));
    if !is_label(text) {
        problems.push(if is_subdomain(text) {
            "must not contain dots".to_owned()
        } else {
            let message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                           start and end with an alphanumeric character";
            mismatch(message, LABEL, &["my-name", "123-abc"])
        });
    }
    problems
}

/// `IsDNS1123Subdomain`
fn subdomain(text: &str) -> Vec<String> {
    subdomain_problems(text, "characters")
}

fn subdomain_problems(text: &str, unit: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, 253, unit));
    if !is_subdomain(text) {
        let message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
                       must start and end with an alphanumeric character";
        problems.push(mismatch(message, &format!("{LABEL}(\\.{LABEL})*"), &["example.com"]));
    }
    problems
}

/// `IsDNS1035Label`
fn label_1035(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, 63, "characters"));
    if !is_label(text) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        let message = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
                       character, and end with an alphanumeric character";
        problems.push(mismatch(message, LABEL_1035, &["my-name", "abc-123"]));
    }
    problems
}

/// `IsLabelKey`
fn qualified_name(text: &str) -> Vec<String> {
    let message = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric \
                   character";
    let mismatch = || mismatch(message, NAME, &["MyName", "my.name", "123-abc"]);
    let mut problems = vec![];
    let name = match *text.split('/').take(3).collect::<Vec<_>>() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(
                    subdomain_problems(prefix, "bytes").into_iter().map(|problem| format!("prefix part {problem}")),
                );
            }
            name
        }
        _ => {
            let optional = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a valid label key {} {optional}", mismatch())];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    }
    problems.extend(too_long(name, 63, "bytes").map(|problem| format!("name part {problem}")));
    if !is_name(name) {
        problems.push(format!("name part {}", mismatch()));
    }
    problems
}

/// `IsLabelValue`
fn label_value(text: &str) -> Vec<String> {
    let mut problems = Vec::from_iter(too_long(text, 63, "bytes"));
    if !text.is_empty() && !is_name(text) {
        let message = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                       must start and end with an alphanumeric character";
        problems.push(mismatch(message, &format!("({NAME})?"), &["MyValue", "my_value", "12345"]));
    }
    problems
}

/// The beginning of a generated name: a `-` at the end may stand there. As upstream, what stands in front of it is not
/// looked at (`maskTrailingDash`).
fn prefix(text: &str) -> String {
    match text.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            let kept = super::url::go_text(rest.as_bytes().get(..rest.len() - 1).unwrap_or_default());
            format!("{kept}a")
        }
        _ => text.to_owned(),
    }
}

/// 32 hexadecimal digits, with `-` or not behind the 8th, 12th, 16th and 20th.
fn is_uuid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    for (position, digits) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if let [b'-', after @ ..] = rest
            && position > 0
        {
            rest = after;
        }
        match rest.split_at_checked(digits) {
            Some((group, after)) if group.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Groups of four, the last one perhaps filled up; at least one.
fn is_base64(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = text.trim_end_matches('=');
    let filling = text.len() - digits.len();
    !text.is_empty() && text.len().is_multiple_of(4) && filling <= 2 && digits.bytes().all(is_digit)
}

/// `2006-01-02`
fn is_date(text: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return false };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0_u32, |number, digit| Some(number * 10 + char::from(*digit).to_digit(10)?))
    };
    let (Some(year), Some(month), Some(day)) = (number(&[y1, y2, y3, y4]), number(&[m1, m2]), number(&[d1, d2])) else {
        return false;
    };
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A date, `T`, a time with perhaps a fraction, `Z` or an offset (`IsDateTime`). As upstream: any character for the point,
/// any offset, and what follows a second `T` is not looked at.
fn is_datetime(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    let number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((clock, rest)) = time.split_at_checked(8) else { return false };
    let is_clock = match *clock.split(':').collect::<Vec<_>>() {
        [hour, minute, second] => {
            [hour, minute, second].into_iter().all(number) && hour <= "23" && minute <= "59" && second <= "59"
        }
        _ => false,
    };
    let zone = |rest: &str| match rest.split_at_checked(1) {
        Some(("z", "")) => true,
        Some(("+" | "-", offset)) => {
            offset.split_once(':').is_some_and(|(hour, minute)| number(hour) && number(minute))
        }
        _ => false,
    };
    let fraction = || {
        let mut rest = rest.chars();
        let is_line_end = rest.next().is_none_or(|point| point == '\n');
        let after = rest.as_str().trim_start_matches(|digit: char| digit.is_ascii_digit());
        !is_line_end && after.len() < rest.as_str().len() && zone(after)
    };
    is_date(date) && is_clock && (zone(rest) || fraction())
}
