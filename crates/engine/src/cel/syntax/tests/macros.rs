//! The expansions, as cel-go 0.26's parser writes them with the options of the API server.

use super::super::{ParseOptions, parse};
use super::{problems, show::show, tree};

#[test]
fn expands_the_macros_with_one_variable() {
    for (text, expansion) in [
        ("has(a.b)", "(has a b)"),
        ("has((a.b).c)", "(has (. a b) c)"),
        ("has(has(a.b))", "(has a b)"),
        ("a.all(x, p)", "(fold x a @result true (@not_strictly_false @result) (_&&_ @result p) @result)"),
        ("a.exists(x, p)", "(fold x a @result false (@not_strictly_false (!_ @result)) (_||_ @result p) @result)"),
        ("a.exists_one(x, p)", "(fold x a @result 0 true (_?_:_ p (_+_ @result 1) @result) (_==_ @result 1))"),
        ("a.map(x, f)", "(fold x a @result [] true (_+_ @result [f]) @result)"),
        ("a.map(x, p, f)", "(fold x a @result [] true (_?_:_ p (_+_ @result [f]) @result) @result)"),
        ("a.filter(x, p)", "(fold x a @result [] true (_?_:_ p (_+_ @result [x]) @result) @result)"),
        ("a.all(.x, .x)", "(fold .x a @result true (@not_strictly_false @result) (_&&_ @result .x) @result)"),
        (
            "a.all(x, p && q || r)",
            "(fold x a @result true (@not_strictly_false @result) (_&&_ @result (_||_ (_&&_ p q) r)) @result)",
        ),
    ] {
        assert_eq!(tree(text), expansion, "{text}");
    }
}

#[test]
fn expands_the_macros_with_two_variables() {
    for (text, expansion) in [
        ("a.all(i, x, p)", "(fold i,x a @result true (@not_strictly_false @result) (_&&_ @result p) @result)"),
        ("a.exists(i, x, p)", "(fold i,x a @result false (@not_strictly_false (!_ @result)) (_||_ @result p) @result)"),
        ("a.existsOne(i, x, p)", "(fold i,x a @result 0 true (_?_:_ p (_+_ @result 1) @result) (_==_ @result 1))"),
        ("a.exists_one(i, x, p)", "(fold i,x a @result 0 true (_?_:_ p (_+_ @result 1) @result) (_==_ @result 1))"),
        ("a.transformList(i, x, f)", "(fold i,x a @result [] true (_+_ @result [f]) @result)"),
        ("a.transformList(i, x, p, f)", "(fold i,x a @result [] true (_?_:_ p (_+_ @result [f]) @result) @result)"),
        ("a.transformMap(i, x, f)", "(fold i,x a @result {} true (cel.@mapInsert @result i f) @result)"),
        (
            "a.transformMap(i, x, p, f)",
            "(fold i,x a @result {} true (_?_:_ p (cel.@mapInsert @result i f) @result) @result)",
        ),
        ("a.transformMapEntry(i, x, f)", "(fold i,x a @result {} true (cel.@mapInsert @result f) @result)"),
        (
            "a.transformMapEntry(i, x, p, f)",
            "(fold i,x a @result {} true (_?_:_ p (cel.@mapInsert @result f) @result) @result)",
        ),
    ] {
        assert_eq!(tree(text), expansion, "{text}");
    }
}

#[test]
fn writes_the_target_of_opt_map_twice() {
    assert_eq!(
        tree("a.b.optMap(x, f)"),
        "(_?_:_ (.hasValue (. a b)) (optional.of (fold #unused [] x (.value (. a b)) false x f)) (optional.none))"
    );
    assert_eq!(
        tree("a.optFlatMap(x, f)"),
        "(_?_:_ (.hasValue a) (fold #unused [] x (.value a) false x f) (optional.none))"
    );
    // The macro in the target is copied with all of its parts.
    assert_eq!(
        tree("a.filter(y, y).optFlatMap(x, f)"),
        "(_?_:_ (.hasValue (fold y a @result [] true (_?_:_ y (_+_ @result [y]) @result) @result)) \
         (fold #unused [] x (.value (fold y a @result [] true (_?_:_ y (_+_ @result [y]) @result) @result)) false x f) \
         (optional.none))"
    );
}

#[test]
fn binds_the_list_that_sort_by_sorts() {
    assert_eq!(
        tree("a.b.sortBy(x, f)"),
        "(fold #unused [] @__sortBy_input__ (. a b) false @__sortBy_input__ (.@sortByAssociatedKeys @__sortBy_input__ \
         (fold x @__sortBy_input__ @result [] true (_+_ @result [f]) @result)))"
    );
}

#[test]
fn expands_nothing_with_another_count_of_arguments_or_another_target() {
    for (text, call) in [
        ("all(x, p)", "(all x p)"),
        ("a.all(x)", "(.all a x)"),
        ("a.existsOne(x, p)", "(.existsOne a x p)"),
        ("a.filter(i, x, p)", "(.filter a i x p)"),
        ("a.has(b.c)", "(.has a (. b c))"),
        (".has(b.c)", "(.has (. b c))"),
        ("has(a, b)", "(has a b)"),
        ("a.transformMap(i, x)", "(.transformMap a i x)"),
    ] {
        assert_eq!(tree(text), call, "{text}");
    }
    let old = ParseOptions { optional_syntax: false, two_variable_comprehensions: false, sort_by: false };
    let old = |text: &str| parse(text, &old).map(|ast| show(&ast)).map_err(|problems| problems[0].message.clone());
    assert_eq!(old("a.all(i, x, p)").unwrap(), "(.all a i x p)");
    assert_eq!(old("a.sortBy(x, p)").unwrap(), "(.sortBy a x p)");
    assert_eq!(old("a.optMap(x, p)").unwrap(), "(.optMap a x p)");
    assert_eq!(old("a.?b").unwrap_err(), "`.?b`: optional fields and elements need Kubernetes 1.28");
    assert_eq!(old("a[?b]").unwrap_err(), "`[?`: optional fields and elements need Kubernetes 1.28");
    assert_eq!(old("{?a: b}").unwrap_err(), "`?`: optional fields and elements need Kubernetes 1.28");
}

#[test]
fn refuses_what_names_no_variable() {
    let name = |which: &str, function: &str| {
        format!("the {which} argument of `{function}` is the name of a variable: letters, digits and `_`")
    };
    for (text, place, message) in [
        ("a.all(x.y, p)", "x.y", name("first", "all")),
        ("a.map('x', p)", "'x'", name("first", "map")),
        ("a.transformList(i, 1, p)", "1", name("second", "transformList")),
        ("a.optMap(f(), p)", "f()", name("first", "optMap")),
        (
            "a.exists(i, i, p)",
            "i",
            "the variables of `exists` are both named `i`, give them different names".to_owned(),
        ),
        (
            "a.filter(__result__, p)",
            "__result__",
            "the name `__result__` is reserved, give the variable of `filter` another name".to_owned(),
        ),
        ("has(a)", "a", "`has` asks for a field, write it as `has(x.field)`".to_owned()),
        ("a.sortBy(x.y, z)", "x.y", name("first", "sortBy")),
        ("{}.sortBy(x, y)", "{}.sortBy(x, y)", "`sortBy` sorts a list, which this is not".to_owned()),
        ("has(a.?b)", "a.?b", "`has` asks for a field, write it as `has(x.field)`".to_owned()),
        ("has(a['b'])", "a['b']", "`has` asks for a field, write it as `has(x.field)`".to_owned()),
    ] {
        assert_eq!(problems(text), [(place.to_owned(), message)], "{text}");
    }
    assert_eq!(tree("a.optFlatMap(__result__, p)").matches("__result__").count(), 2);
}
