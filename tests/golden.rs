//! Golden programs: the text of every landing is pinned, and every program is run.
//!
//! A blessed mistake cannot hide: the machine code must give the interpreter's bits, for any number of
//! threads, and `tests/python/test_golden.py` compares the same programs with NumPy.

mod common;

use rnp::eval::{Context, eval_once};
use rnp::expr::parse_with;
use rnp::runtime::{Tier, set_tier};

#[test]
fn programs() {
    let mut count = 0;
    insta::glob!("golden/*.rnp", |path| {
        count += 1;
        let text = std::fs::read_to_string(path).unwrap();
        let arrays = parse_with(&text, &mut common::input, &mut common::function).unwrap();
        let explained = rnp::explain::explain(&arrays, false).unwrap();
        insta::assert_snapshot!(format!("{text}\n{explained}"));

        let run = |tier, threads| {
            set_tier(tier);
            let ctx = Context { threads, ..Context::default() };
            let values = eval_once(&arrays, &ctx).unwrap();
            values.iter().map(common::bytes).collect::<Vec<_>>()
        };
        let meaning = run(Tier::Interp, Some(1));
        // Without a number, short loops are run directly.
        for threads in [None, Some(1), Some(2), Some(7)] {
            for tier in [Tier::Jit, Tier::Interp, Tier::Auto] {
                assert_eq!(
                    run(tier, threads),
                    meaning,
                    "{path:?} by {tier:?} on {threads:?} threads"
                );
            }
        }
    });
    assert!(count >= 40, "{count} programs");
}
