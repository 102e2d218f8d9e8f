use serde_json::Value;

use super::*;

fn error(pattern: &str) -> String {
    Regex::new(pattern).unwrap_err()
}

/// `answers.jsonl` holds what Go 1.26 says: the texts, then for each pattern the error or all matches in each of the texts
/// (null: it does not match).
#[test]
fn agrees_with_go() {
    let mut lines = include_str!("answers.jsonl").lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let texts = lines.next().unwrap();
    let texts: Vec<&str> = texts["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let mut count = 0;
    for row in lines {
        let pattern = row["pattern"].as_str().unwrap();
        let regex = match Regex::new(pattern) {
            Ok(regex) => regex,
            Err(error) => {
                assert_eq!(row["error"], error.as_str(), "{pattern:?}");
                count += 1;
                continue;
            }
        };
        for (text, wanted) in texts.iter().zip(row["all"].as_array().unwrap()) {
            let wanted = wanted.as_array();
            assert_eq!(regex.is_match(text), wanted.is_some(), "{pattern:?} in {text:?}");
            let wanted: Vec<_> = wanted.into_iter().flatten().map(|found| found.as_str().unwrap()).collect();
            assert_eq!(regex.find_all(text, usize::MAX).collect::<Vec<_>>(), wanted, "{pattern:?} in {text:?}");
            assert_eq!(regex.find(text), wanted.first().copied(), "{pattern:?} in {text:?}");
            count += 1;
        }
    }
    assert_eq!(count, 4_335);
}

#[test]
fn ends_at_the_limit_of_matches() {
    let regex = Regex::new("a|").unwrap();
    assert_eq!(regex.find_all("aba", 2).collect::<Vec<_>>(), ["a", "a"]);
    assert_eq!(Regex::new("b|").unwrap().find_all("aba", 2).collect::<Vec<_>>(), ["", "b"]);
    assert_eq!(regex.find_all("aba", 0).count(), 0);
}

#[test]
fn nests_a_thousand_levels_and_no_more() {
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + "x" + &close.repeat(depth);
    for (open, close, deepest) in [("(", ")", 999), ("(?:", ")*", 999), ("(?:a", "b)*", 500), ("(?:a|b", "c)+?", 333)] {
        assert!(Regex::new(&nested(open, close, deepest)).is_ok(), "{open}");
        let deeper = nested(open, close, deepest + 1);
        assert_eq!(error(&deeper), format!("error parsing regexp: expression nests too deeply: `{deeper}`"), "{open}");
    }
    assert!(Regex::new(&nested("(?:", ")", 2000)).is_ok());
}

#[test]
fn refuses_what_needs_too_much_memory() {
    let pattern = r"(?:\pL{100}){10}";
    assert_eq!(error(pattern), format!("error parsing regexp: expression too large: `{pattern}`"));
    let pattern = "(abcdefghij{1000}){1}".repeat(4000);
    assert_eq!(error(&pattern), format!("error parsing regexp: expression too large: `{pattern}`"));
    let pattern = "a".repeat(PATTERN_BYTES + 1);
    assert_eq!(error(&pattern), format!("error parsing regexp: expression too large: `{pattern}`"));
}
