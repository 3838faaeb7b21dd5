//! Peak normalize: recorded first, then run in two loops, one for the peak and one for the rest.

use rnp::error::Result;
use rnp::eval::{Context, eval};
use rnp::expr::{Array, Number, Over};
use rnp::op::{Fold, Op};

fn main() -> Result<()> {
    let take: Vec<f32> = (0..48_000).map(|k| (k as f32 * 0.05).sin() * 0.3).collect();
    let x = Array::from_slice(&take, &[take.len()])?;

    // Nothing runs here: dtypes and shapes are known at once, values later.
    let peak =
        Array::map(Op::Absolute, std::slice::from_ref(&x))?.reduce(Fold::Max, &Over::default())?;
    let gain = Array::map(Op::Divide, &[Array::number(Number::Float(0.9)), peak])?;
    let y = Array::map(Op::Multiply, &[x, gain])?;

    let report = rnp::explain::report(std::slice::from_ref(&y))?;
    assert_eq!((report.loops, report.temporaries), (2, 0));

    // Here it runs, as machine code where the machine lets it.
    let values = eval(&[y], &Context::default())?[0].to_vec::<f32>()?;
    let loudest = values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    assert!((loudest - 0.9).abs() < 1e-6);
    Ok(())
}
