//! Whatever tree is written is read again.

use proptest::prelude::*;

use super::super::macros::{Call, Expanded, Target, expand};
use super::super::tree::Tree;
use super::super::{ExprId, ExprKind, Literal, MapEntry, ParseOptions, Span, StructField, parse, print};
use super::show::show;

/// What a tree is made of.
#[derive(Clone, Debug)]
enum Plan {
    Literal(Literal),
    Name(&'static str),
    Field(Box<Plan>, &'static str, bool),
    Presence(Box<Plan>),
    Operator(&'static str, Vec<Plan>),
    Function(Option<Box<Plan>>, Vec<Plan>),
    List(Vec<(bool, Plan)>),
    Map(Vec<(bool, Plan, Plan)>),
    Struct(&'static str, Vec<(bool, Plan)>),
    Macro(Box<Plan>, &'static str, Vec<&'static str>, Vec<Plan>),
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        prop_oneof![any::<i64>(), Just(i64::MIN), -3..3_i64].prop_map(Literal::Int),
        any::<u64>().prop_map(Literal::Uint),
        any::<f64>().prop_filter("no literal", |number| number.is_finite()).prop_map(Literal::Double),
        any::<String>().prop_map(|text| Literal::String(text.into())),
        any::<Vec<u8>>().prop_map(|bytes| Literal::Bytes(bytes.into())),
    ]
}

fn plans() -> impl Strategy<Value = Plan> {
    let leaf = prop_oneof![
        literals().prop_map(Plan::Literal),
        prop::sample::select(vec!["a", "b", ".c", "_", "has"]).prop_map(Plan::Name)
    ];
    leaf.prop_recursive(6, 60, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..4);
        let marked = || prop::collection::vec((any::<bool>(), inner.clone()), 0..4);
        let fields = prop::sample::select(vec!["f", "namespace", "_0"]);
        let binary = prop::sample::select(vec![
            "_+_", "_-_", "_*_", "_/_", "_%_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_[_]", "_[?_]",
            "_&&_", "_||_",
        ]);
        let folds = prop::sample::select(vec![
            ("all", 1, 1),
            ("all", 2, 1),
            ("exists", 1, 1),
            ("exists", 2, 1),
            ("exists_one", 1, 1),
            ("existsOne", 2, 1),
            ("map", 1, 1),
            ("map", 1, 2),
            ("filter", 1, 1),
            ("transformList", 2, 1),
            ("transformList", 2, 2),
            ("transformMap", 2, 1),
            ("transformMap", 2, 2),
            ("transformMapEntry", 2, 1),
            ("transformMapEntry", 2, 2),
            ("sortBy", 1, 1),
            ("optMap", 1, 1),
            ("optFlatMap", 1, 1),
        ]);
        prop_oneof![
            (inner.clone(), fields, any::<bool>()).prop_map(|(plan, field, optional)| Plan::Field(
                plan.into(),
                field,
                optional
            )),
            inner.clone().prop_map(|plan| Plan::Presence(plan.into())),
            (binary, inner.clone(), inner.clone())
                .prop_map(|(name, left, right)| Plan::Operator(name, vec![left, right])),
            (prop::sample::select(vec!["!_", "-_"]), inner.clone())
                .prop_map(|(name, operand)| Plan::Operator(name, vec![operand])),
            prop::collection::vec(inner.clone(), 3).prop_map(|parts| Plan::Operator("_?_:_", parts)),
            (prop::sample::select(vec!["_&&_", "_||_"]), prop::collection::vec(inner.clone(), 2..5))
                .prop_map(|(name, terms)| Plan::Operator(name, terms)),
            (prop::option::of(inner.clone()), some())
                .prop_map(|(target, args)| Plan::Function(target.map(Into::into), args)),
            marked().prop_map(Plan::List),
            prop::collection::vec((any::<bool>(), inner.clone(), inner.clone()), 0..3).prop_map(Plan::Map),
            (prop::sample::select(vec!["T", ".a.T", "Object.spec"]), marked())
                .prop_map(|(name, fields)| Plan::Struct(name, fields)),
            (inner.clone(), folds, inner.clone(), inner).prop_map(
                |(target, (name, variables, bodies), first, second)| {
                    Plan::Macro(
                        target.into(),
                        name,
                        vec!["x", "y"][..variables].to_vec(),
                        vec![first, second][..bodies].to_vec(),
                    )
                }
            ),
        ]
    })
}

/// Adds parts before wholes and from left to right, as the parser does.
fn build(tree: &mut Tree, plan: &Plan) -> ExprId {
    let span = Span::default();
    let kind = match plan {
        Plan::Literal(literal) => ExprKind::Literal(literal.clone()),
        Plan::Name(name) => ExprKind::Ident((*name).into()),
        Plan::Field(operand, field, optional) => {
            let operand = build(tree, operand);
            if *optional {
                let field = tree.add(ExprKind::Literal(Literal::String((*field).into())), span).unwrap();
                ExprKind::Call { target: None, function: "_?._".into(), args: vec![operand, field] }
            } else {
                ExprKind::Select { operand, field: (*field).into(), test_only: false }
            }
        }
        Plan::Presence(operand) => {
            ExprKind::Select { operand: build(tree, operand), field: "f".into(), test_only: true }
        }
        Plan::Operator(name, parts) => {
            let args = parts.iter().map(|part| build(tree, part)).collect();
            ExprKind::Call { target: None, function: (*name).into(), args }
        }
        Plan::Function(target, args) => {
            let target = target.as_ref().map(|target| build(tree, target));
            let args = args.iter().map(|arg| build(tree, arg)).collect();
            ExprKind::Call { target, function: "f".into(), args }
        }
        Plan::List(elements) => {
            let optional = (0_u32..).zip(elements).filter(|(_, (marked, _))| *marked).map(|(index, _)| index).collect();
            ExprKind::List { elements: elements.iter().map(|(_, element)| build(tree, element)).collect(), optional }
        }
        Plan::Map(entries) => ExprKind::Map(
            entries
                .iter()
                .map(|(optional, key, value)| MapEntry {
                    key: build(tree, key),
                    value: build(tree, value),
                    optional: *optional,
                })
                .collect(),
        ),
        Plan::Struct(name, fields) => {
            let field = |(optional, value): &(bool, Plan)| StructField {
                name: "f".into(),
                span,
                value: build(tree, value),
                optional: *optional,
            };
            ExprKind::Struct { name: (*name).into(), fields: fields.iter().map(field).collect() }
        }
        Plan::Macro(target, function, variables, bodies) => {
            // `sortBy` accepts no constants, maps and structs.
            let list = Box::new(Plan::List(vec![(false, (**target).clone())]));
            let target = if *function == "sortBy" { &list } else { target };
            let first = tree.len();
            let id = build(tree, target);
            let mut args: Vec<(ExprId, Span)> = Vec::new();
            for variable in variables {
                args.push((tree.add(ExprKind::Ident((*variable).into()), span).unwrap(), span));
            }
            args.extend(bodies.iter().map(|body| (build(tree, body), span)));
            let call = Call { function, target: Some(Target { id, first }), args: &args, span };
            match expand(tree, ParseOptions::default(), &call).unwrap() {
                Expanded::To(id) => return id,
                _ => panic!("{function} is no macro"),
            }
        }
    };
    tree.add(kind, span).unwrap()
}

proptest! {
    #[test]
    fn a_printed_tree_is_read_as_the_same_tree(plan in plans()) {
        let mut tree = Tree::default();
        let root = build(&mut tree, &plan);
        let ast = tree.finish(root);
        let text = print(&ast);
        let again = parse(&text, &ParseOptions::default());
        prop_assert!(again.is_ok(), "{} is refused: {:?}", text, again);
        let again = again.unwrap();
        prop_assert_eq!(show(&again), show(&ast), "{}", text);
        prop_assert_eq!(print(&again), text);
    }

    #[test]
    fn every_part_stands_before_the_whole_and_inside_of_it(text in "[a-c1.?:+*!&|()\\[\\]{}, -]{0,40}") {
        if let Ok(ast) = parse(&text, &ParseOptions::default()) {
            for index in 0..ast.len() {
                let whole = ExprId(u32::try_from(index).unwrap());
                let span = ast.span(whole);
                ast.get(whole).unwrap().kind.for_each_part(|part| {
                    assert!(part < whole);
                    assert!(span.start <= ast.span(part).start && ast.span(part).end <= span.end, "{text}");
                });
            }
        }
    }

    #[test]
    fn problems_lie_in_the_text(text in prop_oneof![any::<String>(), "[-a-z0-9'\"\\\\`bBrRuUxX\n\r\t é\u{1f600}(){}\\[\\].,?:=&|!$]{0,60}"]) {
        if let Err(problems) = parse(&text, &ParseOptions::default()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(text.get(problem.span.start as usize..problem.span.end as usize).is_some(), "{problem:?}");
            }
        }
    }
}
