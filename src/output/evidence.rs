//! Evidence for people: what each policy did, or would have done.

use std::fmt::Write as _;

use super::promotion::{counted, length, plural};
use super::{Colour, Tone, printable};
use crate::evidence::page::{Counts, NamespaceOfPage, Page, PolicyOfPage};

/// How many namespaces with violations are named, and how many owners in each.
const NAMESPACES: usize = 5;
const OWNERS: usize = 3;

/// The policies that have judged anything, a line or more each; nothing where none has.
pub fn text(page: &Page, colour: Colour) -> String {
    let mut text = String::new();
    for policy in page.policies.iter().filter(|policy| policy.total.requests + policy.total.errors > 0) {
        text += &of_policy(policy, page.time, colour);
    }
    if text.is_empty() { text } else { format!("evidence:\n{text}") }
}

/// One policy.
pub fn of_policy(policy: &PolicyOfPage, time: u64, colour: Colour) -> String {
    let action = if policy.action.is_empty() { String::new() } else { format!(" [{}]", printable(&policy.action)) };
    let mut text = format!(
        "  {}{action}, active for {}: {}\n",
        colour.paint(Tone::Strong, &printable(&policy.name)),
        length(time.saturating_sub(policy.since)),
        did(policy, colour)
    );
    let mut troubled: Vec<&NamespaceOfPage> =
        policy.namespaces.iter().filter(|it| it.counts.violations + it.counts.errors > 0).collect();
    troubled.sort_by_key(|it| std::cmp::Reverse(it.counts.violations + it.counts.errors));
    for NamespaceOfPage { namespace, counts } in troubled.iter().take(NAMESPACES) {
        let name = match namespace.as_deref() {
            None => "other namespaces".to_owned(),
            Some("") => "no namespace".to_owned(),
            Some(name) => printable(name).into_owned(),
        };
        let _ = writeln!(
            text,
            "    {name}: {} of {}{}",
            counted(counts.violations),
            counted(counts.requests),
            owners(counts)
        );
    }
    if troubled.len() > NAMESPACES {
        let _ = writeln!(text, "    and in {} more namespaces", troubled.len() - NAMESPACES);
    }
    text
}

fn did(policy: &PolicyOfPage, colour: Colour) -> String {
    let total = &policy.total;
    let mut parts = vec![format!("{} of {}", plural(total.requests, "request"), plural(policy.owners, "owner"))];
    if total.violations > 0 {
        let what = match policy.action.as_str() {
            "Deny" => plural(total.violations, "violation"),
            _ => format!("{} would be denied", counted(total.violations)),
        };
        let text = format!("{what}, by {}", plural(total.violators, "owner"));
        parts.push(colour.paint(Tone::Bad, &text));
    }
    if total.warnings > 0 {
        parts.push(plural(total.warnings, "warning"));
    }
    if total.mutations > 0 {
        let verb = if policy.action == "Audit" { "would be changed" } else { "changed" };
        parts.push(format!("{} {verb}", counted(total.mutations)));
    }
    if total.errors > 0 {
        let text = plural(total.errors, "evaluation error");
        parts.push(colour.paint(Tone::Bad, &text));
    }
    parts.join(", ")
}

fn owners(counts: &Counts) -> String {
    let named: Vec<String> = counts
        .violating_owners
        .iter()
        .take(OWNERS)
        .map(|owner| format!("{} ({})", printable(&owner.owner), counted(owner.requests)))
        .collect();
    let more = counts.violators.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
    match (named.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", named.join(", ")),
        (false, more) => format!(": {} and {} more", named.join(", "), counted(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::page::OwnerOfPage;

    fn counts(requests: u64, violations: u64, owners: &[(&str, u64)], violators: u64) -> Counts {
        let owner =
            |(owner, requests): &(&str, u64)| OwnerOfPage { owner: (*owner).to_owned(), requests: *requests, last: 5 };
        let violating_owners = owners.iter().map(owner).collect();
        Counts { requests, violations, violators, violating_owners, ..Counts::default() }
    }

    #[test]
    fn says_what_each_policy_did_and_to_whom() {
        let shop = counts(40, 4, &[("shop/Deployment/a\x07", 3), ("shop/Job/b", 1)], 9);
        let policy = |name: &str, action: &str, total: Counts| PolicyOfPage {
            name: name.to_owned(),
            action: action.to_owned(),
            since: 1_000,
            owners: 12,
            total,
            ..PolicyOfPage::default()
        };
        let named =
            |name: Option<&str>, counts: Counts| NamespaceOfPage { namespace: name.map(ToOwned::to_owned), counts };
        let audited = PolicyOfPage {
            namespaces: vec![
                named(Some("quiet"), counts(1, 0, &[], 0)),
                named(Some("shop"), shop),
                named(Some(""), counts(2, 1, &[("Node/n", 1)], 1)),
                named(None, counts(9, 9, &[], 0)),
            ],
            ..policy("ports", "Audit", Counts { warnings: 2, errors: 1, ..counts(1_043, 14, &[], 10) })
        };
        let changing = policy("labels", "Audit", Counts { mutations: 3, ..counts(3, 0, &[], 0) });
        let denying = policy("tags", "Deny", counts(9, 1, &[], 1));
        let silent = policy("silent", "Deny", Counts::default());
        let page = Page { time: 1_000 + 86_400, policies: vec![audited, changing, denying, silent], ..Page::default() };
        assert_eq!(
            text(&page, Colour::Off),
            "\
evidence:
  ports [Audit], active for 1d: 1,043 requests of 12 owners, 14 would be denied, by 10 owners, 2 warnings, 1 evaluation error
    other namespaces: 9 of 9
    shop: 4 of 40: shop/Deployment/a\\u{7} (3), shop/Job/b (1) and 7 more
    no namespace: 1 of 2: Node/n (1)
  labels [Audit], active for 1d: 3 requests of 12 owners, 3 would be changed
  tags [Deny], active for 1d: 9 requests of 12 owners, 1 violation, by 1 owner
"
        );
        assert_eq!(text(&Page::default(), Colour::Off), "");
    }
}
