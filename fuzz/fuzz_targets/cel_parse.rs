//! Whatever the text, parsing ends with a tree within its bounds or with problems that lie in the text. A tree prints as text
//! that is read as the same tree.

#![no_main]

use admittance_engine::cel::syntax::{MAX_BYTES, MAX_EXPRESSIONS, ParseOptions, parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let options = ParseOptions::default();
    let ast = match parse(text, &options) {
        Ok(ast) => ast,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                let (start, end) = (problem.span.start as usize, problem.span.end as usize);
                assert!(text.len() > MAX_BYTES || text.get(start..end).is_some(), "{start}..{end}: {}", problem.message);
            }
            return;
        }
    };
    assert!(!ast.is_empty() && ast.len() <= MAX_EXPRESSIONS);
    let printed = print(&ast);
    if printed.len() <= MAX_BYTES {
        let again = parse(&printed, &options).expect("what was printed is an expression");
        assert_eq!(again.len(), ast.len(), "{printed}");
        assert_eq!(print(&again), printed);
    }
});
