//! Estimates against those of the API server's own code.

use super::{Range, estimate};
use crate::cel::check::check;
use crate::cel::environment::Environment;
use crate::cel::syntax::parse;
use crate::expression::declarations::{Declarations, policy_environment};

const MAX: u64 = u64::MAX;

fn estimate_of(text: &str) -> Range {
    let options = Declarations { params: true, authorizer: true, mutation: false };
    let environment = policy_environment(Environment::stored(), &options);
    estimate(&check(parse(text, &environment.parse_options()).unwrap(), &environment).unwrap())
}

#[test]
fn estimates_what_kubernetes_does() {
    for (text, min, max) in [
        ("1 + 1", 1, 1),
        ("true && false && object.a", 0, 1),
        ("[1, 2].exists(x, x == 3) || object.a", 19, 24),
        ("'abc'.replace('a', 'bb').size()", 2, 2),
        ("object.a.split(',').map(x, x + x)", 12, MAX),
        ("['a', 'bb', 'ccc'].map(x, x.size()).sum()", 66, 66),
        ("{'a': 'b', 'c': 'dd'}.all(k, v, k + v != '')", 37, 43),
        ("[3, 1, 2].sortBy(x, -x)", 104, 104),
        ("[[1, 2], [3]].map(x, x.map(y, y))", 115, 141),
        ("request.userInfo.groups.exists(g, g == 'a')", 4, MAX),
        ("(object.a ? ['abc'] : ['defgh', 'x']).all(x, x == 'y')", 15, 22),
        ("authorizer.group('').resource('pods').fieldSelector('a=b').check('list').allowed()", 350_115, 350_115),
        ("cidr('1.1.1.0/24').containsCIDR('1.1.1.1/32')", 5, 9),
        ("url('https://a.b') == url('https://a.b')", 5, 6),
        ("optional.of('abc').optMap(x, x + 'd')", 3, 1_844_674_407_370_955_280),
        ("sets.contains([1, 2], [1])", 23, 23),
        ("object.a.matches('a+')", 2, 1_844_674_407_370_955_265),
        ("has(namespaceObject.metadata.labels.a)", 3, 3),
        ("type(1) == int", 3, 1_844_674_407_370_955_266),
        ("strings.quote(object.a) + 'x'", 2, 1_844_674_407_370_955_266),
        ("[[1], [2]].flatten(2).slice(0, 1)", 57, 57),
    ] {
        assert_eq!(estimate_of(text), Range { min, max }, "{text}");
    }
}

#[test]
fn estimates_the_deepest_trees_on_a_small_stack() {
    let macros = "[1].all(x, true && ".repeat(60) + "true" + &")".repeat(60);
    let sum = vec!["1"; 240].join(" + ");
    let estimates = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || [estimate_of(&macros), estimate_of(&sum)])
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(estimates[1], Range { min: 239, max: 239 });
    assert_eq!(estimates[0], Range { min: 14, max: 840 });
}
