//! Policies about connections to pods: other ways to what runs in them.

use super::policy::{Policy, rules_for};
use super::{Gap, Severity, Sort};
use crate::kubernetes::kinds::{Kinds, Scope as Lives};
use crate::review::Operation;

pub(super) fn look(policy: &Policy<'_>, gaps: &mut Vec<Gap>) {
    let sees = |request: &str, operation| policy.sees("", request, operation, Some(Lives::Namespaced));
    let connect = Operation::Connect;
    let (exec, attach) = (sees("pods/exec", connect), sees("pods/attach", connect));
    let kinds = Kinds::built_in();
    let mut add = |severity, request: &str, operation: Operation, why: &str, is_rule: bool| {
        let rule = [(String::new(), request.to_owned(), operation)];
        gaps.push(Gap {
            why: why.to_owned(),
            add: if is_rule { rules_for(&rule, &kinds) } else { vec![] },
            ..policy.gap(severity, Sort::Connection, format!("{operation} of {request}"))
        });
    };
    if !exec && !attach {
        return;
    }
    if !attach {
        add(Severity::Bypass, "pods/attach", connect, "a shell that runs already can be joined", true);
    }
    if !exec {
        add(Severity::Bypass, "pods/exec", connect, "a command can be run beside what runs already", true);
    }
    if !sees("pods/ephemeralcontainers", Operation::Update) {
        let why = "a debug container runs commands in the pod: take the right away, or judge it by a policy of its own";
        add(Severity::Accepted, "pods/ephemeralcontainers", Operation::Update, why, false);
    }
    let why = "the kubelet's own API runs commands, and what concerns nodes is never sent: take the right away";
    add(Severity::Accepted, "nodes/proxy", connect, why, false);
}
